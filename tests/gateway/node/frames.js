// Reads lines of hexadecimal frames. Writes for each what y-websocket reads in it, as JSON, or null
// where it fails or leaves something over, and the frame that it writes for that.
import { createInterface } from 'node:readline'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

const hex = (bytes) => Buffer.from(bytes).toString('hex')

const read = (decoder) => {
  const kind = decoding.readVarUint(decoder)
  if (kind === 0) {
    return { kind, step: decoding.readVarUint(decoder), data: hex(decoding.readVarUint8Array(decoder)) }
  }
  if (kind === 3) {
    return { kind }
  }
  if (kind !== 1) {
    return null
  }
  // As y-protocols/awareness.js reads it.
  const inside = decoding.createDecoder(decoding.readVarUint8Array(decoder))
  const states = []
  const count = decoding.readVarUint(inside)
  for (let n = 0; n < count; n++) {
    const client = decoding.readVarUint(inside)
    const clock = decoding.readVarUint(inside)
    const state = decoding.readVarString(inside)
    JSON.parse(state)
    states.push({ client, clock, state })
  }
  return decoding.hasContent(inside) ? null : { kind, states }
}

const write = ({ kind, step, data, states }) => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, kind)
  if (kind === 0) {
    encoding.writeVarUint(encoder, step)
    encoding.writeVarUint8Array(encoder, Buffer.from(data, 'hex'))
  } else if (kind === 1) {
    const inside = encoding.createEncoder()
    encoding.writeVarUint(inside, states.length)
    for (const { client, clock, state } of states) {
      encoding.writeVarUint(inside, client)
      encoding.writeVarUint(inside, clock)
      encoding.writeVarString(inside, state)
    }
    encoding.writeVarUint8Array(encoder, encoding.toUint8Array(inside))
  }
  return hex(encoding.toUint8Array(encoder))
}

for await (const line of createInterface({ input: process.stdin })) {
  let message = null
  try {
    const decoder = decoding.createDecoder(new Uint8Array(Buffer.from(line, 'hex')))
    message = read(decoder)
    if (decoding.hasContent(decoder)) {
      message = null
    }
  } catch {}
  console.log(JSON.stringify({ message, frame: message && write(message) }))
}
