// npm run serve -- PORT [OTHER PORT…]: an index server on this machine, beside those on the other ports, until Ctrl-C.

import { serverAddress, startServer } from './node.ts'

const ports = process.argv.slice(2).map(Number)
if (ports.length === 0 || !ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536)) {
  console.error('usage: npm run serve -- PORT [OTHER PORT…]')
  process.exit(2)
}

const server = await startServer(ports[0]!, ports)
console.log(`an index server; peers find it at ${await serverAddress(ports[0]!)}`)
process.once('SIGINT', () => void server.stop())
process.once('SIGTERM', () => void server.stop())
