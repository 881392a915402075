// npm run chat -- NAME ROOM ADDRESS: says each line that is typed, and shows what others say.

import { createInterface } from 'node:readline/promises'
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
let shown = 0
let keeper: string | undefined

/** Shows what is new, and who keeps the room when that is somebody else than before. */
async function look(): Promise<void> {
  const view = await read(node, room!).catch(() => undefined)
  if (view?.keeper !== keeper) {
    keeper = view?.keeper
    show(keeper === undefined ? `(nobody keeps the room ${room})` : `(${keeper} answers for the room ${room})`)
  }
  if (view === undefined) return
  // A keeper that came later, or forgot the oldest lines, may know fewer.
  shown = Math.min(shown, view.lines.length)
  for (const { by, text } of view.lines.slice(shown)) if (by !== name) show(`${by}: ${text}`)
  shown = view.lines.length
}

function show(line: string): void {
  process.stdout.write(`\r\u001b[2K${line}\n`)
  terminal.prompt(true)
}

const looking = setInterval(() => void look(), lookEveryMs)
await look()
terminal.prompt()
terminal.on('line', (text) => {
  terminal.prompt()
  if (text.trim() === '') return
  say(node, room, { by: name, text }).then(
    (keepers) => (keepers.length === 0 ? show('(nobody heard that)') : undefined),
    (error: Error) => show(`(not said: ${error.message})`),
  )
})
terminal.once('close', () => {
  clearInterval(looking)
  void node.stop()
})
