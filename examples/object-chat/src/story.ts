// npm start: three processes keep a room, one is killed, and whoever talks to the room does not have to care.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startNode } from './node.ts'
import { keepersOf, read, say } from './room.ts'
import type { ChildProcess } from 'node:child_process'
import type { ChatNode } from './node.ts'

const room = 'kitchen'
const keepers = new Map<string, ChildProcess>()

/** Starts a process that keeps the room, and resolves with its address once it does. */
async function startKeeper(name: string, ...address: string[]): Promise<string> {
  const main = fileURLToPath(new URL('keep.ts', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, main, name, room, ...address], { stdio: ['ignore', 'pipe', 'inherit'] })
  keepers.set(name, child)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  tell(`${name} keeps the room ${room}, as process ${child.pid}`)
  return /\S+$/.exec(line)![0]
}

async function killKeeper(name: string): Promise<void> {
  const child = keepers.get(name)!
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  keepers.delete(name)
  tell(`kill -9 of ${name}`)
}

/** When a node has just joined or died, pointers are still on their way to where they belong: what is for all keepers could miss one. */
async function allKeepersAnswer(node: ChatNode): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    const answering = await keepersOf(node, room)
    if (answering.length === keepers.size && answering.every((name) => keepers.has(name))) return
    await delay(50)
  }
  throw new Error('not all keepers answer')
}

async function dora(node: ChatNode, text: string): Promise<void> {
  const heard = await say(node, room, { by: 'dora', text })
  tell(`dora says: ${text}`, `heard by ${heard.toSorted().join(', ')}`)
}

/** Reads the room, and returns who answered. */
async function readRoom(node: ChatNode): Promise<string> {
  const startedAt = performance.now()
  const view = await read(node, room)
  if (view === undefined) throw new Error('nobody keeps the room')
  const took = (performance.now() - startedAt).toFixed(1)
  tell(`dora reads the room: ${view.keeper} answers in ${took} ms`, ...view.lines.map(({ by, text }) => `${by}: ${text}`))
  return view.keeper
}

function tell(what: string, ...details: string[]): void {
  console.log([what, ...details.map((detail) => `    ${detail}`)].join('\n'))
}

try {
  const address = await startKeeper('ann')
  await startKeeper('ben', address)
  await startKeeper('cleo', address)
  const node = await startNode([address])
  await allKeepersAnswer(node)
  await dora(node, 'is there coffee?')
  const nearest = await readRoom(node)

  await killKeeper(nearest)
  const next = await readRoom(node)
  await allKeepersAnswer(node)
  await dora(node, `${nearest} is gone, and ${next} still knows what I said`)

  await killKeeper(next)
  await readRoom(node)
  const [left] = keepers.keys()
  await startKeeper(nearest, String(node.getMultiaddrs()[0]))
  await killKeeper(left!)
  await readRoom(node)
  await node.stop()
} finally {
  for (const child of keepers.values()) child.kill('SIGKILL')
}
