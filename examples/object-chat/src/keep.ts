// npm run keep -- NAME ROOM [ADDRESS]: a process that keeps a room, in the network of ADDRESS, until Ctrl-C.

import { startNode } from './node.ts'
import { keep } from './room.ts'

const [name, room, address] = process.argv.slice(2)
if (name === undefined || room === undefined) {
  console.error('usage: npm run keep -- NAME ROOM [ADDRESS]')
  process.exit(2)
}

const node = await startNode(address === undefined ? [] : [address])
await keep(node, room, name)
console.log(`${name} keeps the room ${room}; others join at ${node.getMultiaddrs().map(String)[0]}`)

process.once('SIGINT', () => void node.stop())
process.once('SIGTERM', () => void node.stop())
