// Brings `node_modules` to what `package-lock.json` says, and nothing when it already is. Plain JavaScript without
// dependencies, because it runs on the reader's own Node (20 or newer) before anything is installed.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The Node that the project pins and runs everything on. */
export const projectNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** Installs what is missing or differs. Throws when that fails; the message says what to do. */
export function setup() {
  const reason = whatIsMissing()
  if (reason === undefined) return

  console.error(`Set-up: ${reason}; running npm ci (about half a minute with a warm npm cache).`)
  const started = performance.now()
  npmCi()
  const still = whatIsMissing()
  if (still !== undefined) {
    throw new Error(`npm ci ended well, yet ${still}.`)
  }
  console.error(`Set-up: done in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}

/**
 * One clause saying what is wrong with `node_modules`, or undefined. `npm ci` removes the folder first and writes its hidden
 * lock file last, so an interrupted install shows as a missing hidden lock file; packages removed by hand show as missing folders.
 */
function whatIsMissing() {
  const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return 'the dependencies are not installed yet'

  const locked = packagesOf(join(root, 'package-lock.json'))
  if (locked === undefined) throw new Error('package-lock.json cannot be read.')
  for (const [path, wanted] of Object.entries(locked)) {
    if (path === '') continue
    if (!existsSync(join(root, path, 'package.json'))) {
      if (wanted.optional || wanted.devOptional) continue
      return `${path} is missing`
    }
    if (!path.includes('node_modules/') || wanted.link) continue
    if (installed[path]?.version !== wanted.version) {
      return `${path} is ${installed[path]?.version ?? 'unknown'} and should be ${wanted.version}`
    }
  }

  const version = spawnSync(projectNode, ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) return "the project's own Node does not start (its install script brings it: npm's ignore-scripts must be off)"
}

/** The entries of a lock file by path, or undefined when the file is absent or was cut short. */
function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages
  } catch {
    return undefined
  }
}

function npmCi() {
  // npm names itself to the scripts it runs; called without npm, whichever is on PATH does.
  const npm = process.env.npm_execpath
  const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const child =
    npm?.endsWith('.js') === true
      ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
      : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (child.error !== undefined) throw child.error
  if (child.status !== 0) throw new Error('npm ci failed; its own message above says why. The command can simply be run again.')
}
