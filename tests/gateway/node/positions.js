// Reads JSON lines of {state, later}: two states of a document, the second one of its future, in
// base64. Writes for each where every place in the text is, as Yjs says it, before and behind
// characters, and where the same places are later.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'

for await (const line of createInterface({ input: process.stdin })) {
  const { state, later } = JSON.parse(line)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Buffer.from(state, 'base64'))
  const text = doc.getText('content')
  const future = new Y.Doc()
  Y.applyUpdate(future, Buffer.from(later, 'base64'))
  future.getText('content')
  const places = []
  for (let index = 0; index <= text.length; index++) {
    for (const assoc of [0, -1]) {
      const position = Y.createRelativePositionFromTypeIndex(text, index, assoc)
      const found = Y.createAbsolutePositionFromRelativePosition(position, future, false)
      places.push({
        index,
        assoc,
        position: Y.relativePositionToJSON(position),
        later: found === null ? null : found.index
      })
    }
  }
  console.log(JSON.stringify({ text: text.toString(), later: future.getText('content').toString(), places }))
}
