// A hocuspocus server with its default settings, for the comparison.
import { Server } from '@hocuspocus/server'

const server = new Server({ address: '127.0.0.1', port: Number(process.env.PORT), quiet: true })
server.listen()
