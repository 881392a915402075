import { spawnSync } from 'node:child_process'
import { root } from './workspaces.ts'

/** Runs npm and gives its standard output. Throws with npm's own words when it fails. */
export function npm(args: string[], cwd: string = root): string {
  // The npm that runs the tests names itself; otherwise the one on PATH is taken.
  const self = process.env['npm_execpath']
  const [command, ...before] = self?.endsWith('.js') === true ? [process.execPath, self] : ['npm']
  const { status, stdout, stderr, error } = spawnSync(command!, [...before, ...args], { cwd, env: environment(), encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`npm ${args.join(' ')} ended with status ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** Without what npm tells the scripts of this repository, which would make it install here instead of in `cwd`. */
function environment(): NodeJS.ProcessEnv {
  const ofThisRun = /^npm_(?:package|lifecycle|command)|^npm_config_(?:local_prefix|workspaces?|include_workspace_root)$|^INIT_CWD$/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofThisRun.test(name)))
}
