// npm test: builds the packages of this repository, installs them here with Helia as package-lock.json says, checks the types and runs the
// example. Ends with status 0 only if all of that went well. Plain JavaScript without dependencies, because it runs before anything is installed.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectNode, setup } from '../../scripts/setup.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

// npm hands this folder's .npmrc on to what it runs, but the repository's own set-up goes by its own.
for (const option of ['ignore_scripts', 'install_links']) delete process.env[`npm_config_${option}`]

try {
  setup()
  step('building the packages', root, projectNode, [typescript, '-b', 'packages/libp2p', 'packages/pastry'])
  step('installing them and Helia: 1,000 packages, 370 MB', here, ...npm('ci', '--prefer-offline', '--loglevel=error'))
  step('checking the types', here, projectNode, [typescript, '--project', here])
  step('running the example', here, projectNode, ['src/main.ts'])
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

/** Runs one command and shows what it prints; throws when it fails. */
function step(title, cwd, command, args) {
  console.error(`— ${title}`)
  const { error, status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: command === 'npm' && process.platform === 'win32' })
  if (error !== undefined || status !== 0) throw new Error(`Failed at ${title}: ${error?.message ?? `status ${status}`}`)
}

/** npm names itself to the scripts it runs; called without npm, whichever is on PATH does. */
function npm(...args) {
  const program = process.env.npm_execpath
  return program?.endsWith('.js') === true ? [process.execPath, [program, ...args]] : ['npm', args]
}
