// A stock client in node: the first argument is its options, with the token for a header or not.
import { createInterface } from 'node:readline'
import WebSocket from 'ws'
import { stockClient } from './stock.js'

const { headers, ...options } = JSON.parse(process.argv[2])
class Socket extends WebSocket {
  constructor (url, protocols) {
    super(url, protocols, { headers })
  }
}
const does = stockClient({ WebSocketPolyfill: Socket, ...options }, (event) => {
  process.stdout.write(JSON.stringify(event) + '\n')
})
createInterface({ input: process.stdin })
  .on('line', (line) => does(JSON.parse(line)))
  .on('close', () => process.exit(0))
