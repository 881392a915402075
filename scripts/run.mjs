// node scripts/run.mjs [FILE.ts [ARGUMENT…]]: set up, then run a TypeScript file of this repository on the project's own Node,
// with packages seen as sources. Ends with the file's status. Without a file it only sets up.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectNode, setup } from './setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const command = process.argv.slice(2)

try {
  setup()
} catch (error) {
  console.error(`Set-up failed: ${error.message}`)
  process.exit(1)
}
if (command.length === 0) process.exit(0)

const child = spawn(projectNode, ['--conditions=plaxton-source', ...command], {
  stdio: 'inherit',
  env: { ...process.env, PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH },
})

// A terminal sends Ctrl-C to the child as well, which decides what it means; other signals reach only this process and are passed on.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// npm passes a signal to its shell, which dies of it without a word to this process: a new parent is the only sign.
const parent = process.ppid
const watch = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(watch)
  child.kill('SIGTERM')
}, 250)

child.on('error', (error) => {
  clearInterval(watch)
  console.error(error.message)
  process.exitCode = 1
})
child.on('exit', (code, signal) => {
  clearInterval(watch)
  process.exitCode = code ?? 128 + constants.signals[signal]
})
