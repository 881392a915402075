import { spawn } from 'node:child_process'
import { maxBodyBytes } from '../control/frames.ts'
import { formatBytes, formatDuration, printable } from '../output/format.ts'
import type { ChildProcess } from 'node:child_process'

/** A command to be run for one message after the other. */
export interface CommandInit {
  /** What the shell is given. */
  readonly command: string
  /** A command that takes longer is killed. */
  readonly withinMs: number
}

/** What a command made of a message; `reason` is one line for a person. */
export type CommandOutcome = { readonly ok: true; readonly reply: Uint8Array } | { readonly ok: false; readonly reason: string }

/** Of what a command says on stderr, so much is kept: the reason is its first line. */
const maxErrorBytes = 4096

/** Longest reason, in characters: a line of a terminal or two. */
const maxReasonLength = 200

/**
 * Runs a command in a shell for each message, with the message on its stdin: what it writes to stdout is the reply, up to 1 MiB, and any status but 0 a
 * refusal. Each run is a process group of its own, so that what it starts ends with it.
 */
export class CommandRunner {
  private readonly init: CommandInit
  private readonly running = new Set<ChildProcess>()

  constructor(init: CommandInit) {
    this.init = init
  }

  /** Never rejects. `environment` is added to this process's. */
  run(message: Uint8Array, environment: Readonly<Record<string, string>>): Promise<CommandOutcome> {
    const child = spawn(this.init.command, {
      shell: true,
      detached: hasGroups,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.running.add(child)
    return outcomeOf(child, message, this.init.withinMs).finally(() => this.running.delete(child))
  }

  /** Kills what is running. */
  end(): void {
    for (const child of this.running) kill(child)
  }
}

function outcomeOf(child: ChildProcess, message: Uint8Array, withinMs: number): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const reply = new Kept(maxBodyBytes)
    const errors = new Kept(maxErrorBytes)
    let complaint: string | undefined
    const stop = (why: string): void => {
      complaint ??= why
      kill(child)
    }
    const timer = setTimeout(() => stop(`the command took longer than ${formatDuration(withinMs)}`), withinMs)
    const end = (outcome: CommandOutcome): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    // Out of file descriptors there are no streams, but there is the error.
    child.stdout?.on('data', (chunk: Uint8Array) => {
      if (!reply.add(chunk)) stop(`the command's reply is longer than ${formatBytes(maxBodyBytes)}`)
    })
    child.stderr?.on('data', (chunk: Uint8Array) => errors.add(chunk))
    child.on('error', (error) => end({ ok: false, reason: `the command cannot be run: ${error.message}` }))
    child.on('close', (status, signal) => {
      if (complaint === undefined && status === 0) return end({ ok: true, reply: reply.bytes() })
      end({ ok: false, reason: complaint ?? firstLine(errors.bytes()) ?? `the command ended with ${signal ?? `status ${status}`}` })
    })
    // A command that does not read all of its message is no failure.
    child.stdin?.on('error', () => {})
    child.stdin?.end(message)
  })
}

/** The beginning of what a stream says. */
class Kept {
  private readonly most: number
  private readonly chunks: Uint8Array[] = []
  private size = 0

  constructor(most: number) {
    this.most = most
  }

  /** False when that was too much; what fits is kept. */
  add(chunk: Uint8Array): boolean {
    const room = this.most - this.size
    if (room > 0) this.chunks.push(chunk.subarray(0, room))
    this.size = Math.min(this.most, this.size + chunk.length)
    return chunk.length <= room
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks)
  }
}

function firstLine(bytes: Uint8Array): string | undefined {
  const line = Buffer.from(bytes)
    .toString('utf8')
    .split(/\r?\n/)
    .map((each) => each.trim())
    .find((each) => each !== '')
  return line === undefined ? undefined : printable(line).slice(0, maxReasonLength)
}

/** Windows has no process groups to send signals to. */
const hasGroups = process.platform !== 'win32'

function kill(child: ChildProcess): void {
  try {
    if (hasGroups && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // It has ended already.
  }
}
