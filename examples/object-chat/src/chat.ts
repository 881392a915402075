// npm run chat -- NAME ROOM ADDRESS: says each line that is typed, and shows what others say.

import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { startNode } from './node.ts'
import { read, say } from './room.ts'

/** Between two looks at the room. */
const lookEveryMs = 1_000

const [name, room, address] = process.argv.slice(2)
if (name === undefined || room === undefined || address === undefined) {
  console.error('usage: npm run chat -- NAME ROOM ADDRESS')
  process.exit(2)
}

const node = await startNode([address])
const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: `${name}: ` })
const closed = new AbortController()
terminal.once('close', () => {
  closed.abort()
  void node.stop()
})
terminal.on('line', (text) => {
  terminal.prompt()
  if (text.trim() === '') return
  say(node, room, { by: name, text }).then(
    (keepers) => (keepers.length === 0 ? show('(nobody heard that)') : undefined),
    (error: Error) => show(`(not said: ${error.message})`),
  )
})

/** Who answered last; not yet anybody at first. */
let keeper: string | undefined = ''
/** Lines shown. */
let shown = 0
terminal.prompt()
while (!closed.signal.aborted) {
  const view = await read(node, room).catch(() => undefined)
  if (view?.keeper !== keeper)
    show(view === undefined ? `(nobody keeps the room ${room})` : `(${view.keeper} answers for the room ${room})`)
  keeper = view?.keeper
  if (view !== undefined) {
    for (const { by, text } of view.lines.slice(shown)) if (by !== name) show(`${by}: ${text}`)
    shown = view.lines.length
  }
  await delay(lookEveryMs, undefined, { signal: closed.signal }).catch(() => {})
}

/** A line above the one being typed. */
function show(line: string): void {
  if (closed.signal.aborted) return
  process.stdout.write(`\r\u001b[2K${line}\n`)
  terminal.prompt(true)
}
