import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from '../errors.ts'

/** Where a client looks for its daemon, or a daemon is to listen. */
export interface ControlOptions {
  /** Path of the control socket. */
  readonly control?: string | undefined
  /** Data folder of the daemon; its socket is in there. */
  readonly data?: string | undefined
}

/** The environment variable that names the control socket when no option does. */
const controlVariable = 'PLAXTON_CONTROL'

/** The socket's path: `--control`, else in `--data`, else what the environment says, else in the default data folder. */
export function controlPath(options: ControlOptions, environment: NodeJS.ProcessEnv = process.env): string {
  if (options.control !== undefined) return resolve(options.control)
  if (options.data !== undefined) return join(resolve(options.data), socketName)
  const named = environment[controlVariable]
  if (named !== undefined && named !== '') return resolve(named)
  return join(defaultDataDirectory(environment), socketName)
}

/** The data folder of a daemon that is given none: `plaxton` in XDG_DATA_HOME where that is set, else `.plaxton` at home. */
export function defaultDataDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const xdg = environment['XDG_DATA_HOME']
  return xdg !== undefined && xdg !== '' ? join(xdg, 'plaxton') : join(homedir(), '.plaxton')
}

/** What `node:net` listens at and connects to for a socket path: the path, or on Windows the pipe that stands for it. */
export function socketAddress(path: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return `\\\\.\\pipe\\plaxton-${createHash('sha256').update(path.toLowerCase()).digest('hex').slice(0, 32)}`
  const bytes = Buffer.byteLength(path)
  const allowed = platform === 'linux' ? 107 : 103
  if (bytes > allowed)
    throw new UsageError(`the control socket path ${path} has ${bytes} bytes, allowed is ${allowed}: give --control a shorter one`)
  return path
}

const socketName = 'control.sock'
