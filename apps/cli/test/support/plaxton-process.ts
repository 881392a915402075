import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** How a command ended. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly bytes: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: Uint8Array | string
  readonly env?: NodeJS.ProcessEnv
  /** It is killed after this time; default 30 s. */
  readonly timeoutMs?: number
}

/** Starts `plaxton` from its sources as a process of its own. */
export function spawnPlaxton(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ['--conditions=plaxton-source', main, ...args], {
    env: { ...process.env, PLAXTON_CONTROL: '', FORCE_COLOR: undefined, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Runs `plaxton` as a process to its end. */
export async function plaxton(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawnPlaxton(args, options.env)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 30_000)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk))
  // A command that does not read its stdin to the end is no failure of the test.
  child.stdin!.on('error', () => {})
  child.stdin!.end(options.stdin)
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  const bytes = Buffer.concat(out)
  return { status, signal, stdout: bytes.toString('utf8'), bytes, stderr: Buffer.concat(err).toString('utf8') }
}

/** What a daemon says of itself when it is a member. */
export interface Ready {
  readonly id: string
  readonly peerId: string
  readonly multiaddrs: readonly string[]
  readonly control: string
  readonly pid: number
  /** Knows no other node of its network, and where it looked for one. */
  readonly alone: boolean
  readonly silent: readonly string[]
  readonly elsewhere: readonly string[]
}

/** A daemon that is a process of its own, on a data folder that outlives it. */
export class DaemonProcess {
  readonly data: string
  private readonly args: readonly string[]
  private child: ChildProcess | undefined
  private errors = ''
  private readyNow: Ready | undefined

  constructor(data: string, args: readonly string[] = []) {
    this.data = data
    this.args = args
  }

  get control(): string {
    return join(this.data, 'control.sock')
  }

  /** A member, as far as is known here. */
  get isReady(): boolean {
    return this.child !== undefined && this.readyNow !== undefined
  }

  /** As of the latest start. */
  get ready(): Ready {
    if (this.readyNow === undefined) throw new Error(`the daemon on ${this.data} is not ready`)
    return this.readyNow
  }

  /** Starts it, and resolves when it is a member. */
  async start(withinMs = 30_000): Promise<Ready> {
    const child = spawnPlaxton(['node', '--json', '--data', this.data, ...this.args])
    this.child = child
    this.readyNow = undefined
    this.errors = ''
    child.stderr!.on('data', (chunk: Buffer) => (this.errors = (this.errors + chunk.toString('utf8')).slice(-10_000)))
    child.on('exit', () => {
      if (this.child === child) this.child = undefined
    })
    let timer: NodeJS.Timeout | undefined
    try {
      this.readyNow = await new Promise<Ready>((resolve, reject) => {
        timer = setTimeout(
          () => reject(new Error(`the daemon on ${this.data} was not ready within ${withinMs} ms: ${this.errors}`)),
          withinMs,
        )
        child.on('exit', (status, signal) =>
          reject(new Error(`the daemon on ${this.data} ended with ${signal ?? `status ${status}`}: ${this.errors}`)),
        )
        let out = ''
        child.stdout!.on('data', (chunk: Buffer) => {
          out += chunk.toString('utf8')
          // Anything else is the report of an error, and the end follows.
          if (out.startsWith('{"type":"ready"') && out.includes('\n')) resolve(JSON.parse(out.slice(0, out.indexOf('\n'))) as Ready)
        })
      })
      return this.readyNow
    } finally {
      clearTimeout(timer)
    }
  }

  /** What it has said on stderr since the latest start. */
  get stderr(): string {
    return this.errors
  }

  /** Ends it with a signal and resolves with its status, or the signal's name. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    const { child } = this
    if (child === undefined) return 0
    const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    child.kill(signal)
    const [status, by] = await exited
    return status ?? by ?? 0
  }
}
