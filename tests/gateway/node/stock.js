// A stock client that does what it is told: commands come in, and what happens goes out, as JSON.
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'

/**
 * @param {object} options server, room, protocols, and what WebsocketProvider takes
 * @param {(event: object) => void} tell
 * @returns {(command: object) => void}
 */
export const stockClient = ({ server, room, ...options }, tell) => {
  const doc = new Y.Doc()
  const text = doc.getText('content')
  const meta = doc.getMap('meta')
  const provider = new WebsocketProvider(server, room, doc, { disableBc: true, ...options })
  const { awareness } = provider

  const place = (index) => Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index))
  const where = (json) => {
    const found = json && Y.createAbsolutePositionFromRelativePosition(
      Y.createRelativePositionFromJSON(json), doc)
    return found ? found.index : null
  }
  const people = () => {
    const others = []
    awareness.getStates().forEach((state, client) => {
      if (client !== doc.clientID) {
        const { anchor, head } = state.cursor ?? {}
        others.push({ client, state, anchor: where(anchor), head: where(head) })
      }
    })
    tell({ event: 'people', people: others })
  }
  doc.on('update', () => {
    tell({ event: 'text', text: text.toString(), meta: meta.toJSON() })
    people()
  })
  awareness.on('change', people)
  provider.on('status', ({ status }) => tell({ event: 'status', status }))
  provider.on('sync', (synced) => tell({ event: 'synced', synced }))
  provider.on('closed', ({ code, reason }) => tell({ event: 'refused', code, reason }))
  provider.on('connection-close', (event) => tell({
    event: 'dropped', code: event ? event.code : 0, reason: event ? event.reason : ''
  }))
  tell({ event: 'client', client: doc.clientID })

  const commands = {
    insert: ({ at, text: what }) => text.insert(at, what),
    delete: ({ at, length }) => text.delete(at, length),
    meta: ({ key, value }) => meta.set(key, value),
    embed: ({ at }) => text.insertEmbed(at, { image: 'x' }),
    say: ({ state }) => awareness.setLocalState(state),
    cursor: ({ anchor, head }) => awareness.setLocalStateField('cursor', {
      anchor: place(anchor), head: place(head)
    }),
    move: ({ server: another }) => {
      provider.disconnect()
      provider.serverUrl = another
    },
    disconnect: () => provider.disconnect(),
    connect: () => provider.connect(),
    cut: () => provider.ws.terminate(),
    quit: () => process.exit(0)
  }
  return (command) => commands[command.do](command)
}
