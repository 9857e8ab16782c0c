// Reads thoughts, of each a JSON list of updates in base64, and prints what Yjs makes of it. Yjs is
// taken from the folder in which this runs.

import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const Y = createRequire(join(process.cwd(), 'package.json'))('yjs')

for await (const line of createInterface({ input: process.stdin })) {
  const doc = new Y.Doc()
  for (const update of JSON.parse(line)) {
    Y.applyUpdate(doc, Buffer.from(update, 'base64'))
  }
  const waits = doc.store.pendingStructs !== null || doc.store.pendingDs !== null
  console.log(JSON.stringify([doc.getText('content').toString(), doc.getMap('meta').toJSON(), waits]))
}
