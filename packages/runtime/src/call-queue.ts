import type { Application, CallOptions, Millis } from '@plaxton/kbr'
import { DeadlineError, InvalidValueError, PlaxtonError } from '@plaxton/kbr'
import type { Command } from './call.ts'
import { Call } from './call.ts'
import type { ClientHost } from './client-host.ts'
import { TimerQueue } from './timer-queue.ts'

/** Commands one application runs at once. More at a time would only wait in the node and its link, and hold their data there. Our choice. */
const mostRunning = 128

/** Calls that wait for their turn. When full, further ones reject with `ERR_OVERLOADED`: the caller is far ahead of the network. */
const mostWaiting = 10_000

/** What came of a command. */
export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: PlaxtonError }

/**
 * The promised calls of one application: some run as commands of its core, the others wait for their turn. Whoever owns the queue hands it what
 * the core says of its commands.
 */
export class CallQueue {
  private readonly host: ClientHost
  private readonly application: Application
  private readonly defaultMs: Millis
  private readonly running = new Map<number, Call>()
  private readonly waiting = new Set<Call>()
  private readonly patience: TimerQueue<Call>

  /** `defaultMs`: how long a call may take that names no time of its own. */
  constructor(host: ClientHost, application: Application, defaultMs: Millis) {
    this.host = host
    this.application = application
    this.defaultMs = defaultMs
    this.patience = new TimerQueue(host.clock, (call) => this.giveUp(call))
  }

  /** `T` is what the command's outcome holds. `onPart` gets what {@link part} brings before that. */
  async call<T>(options: CallOptions, command: Command, onPart?: (part: Uint8Array) => void): Promise<T> {
    const { timeoutMs = this.defaultMs } = options
    if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) throw new InvalidValueError('timeoutMs', timeoutMs, 'a whole number, 1 or more')
    if (this.waiting.size >= mostWaiting) {
      throw new PlaxtonError('OverloadedError', 'ERR_OVERLOADED', `${mostWaiting} calls wait already; await some before making more`)
    }
    const call = new Call(command, this.host.clock.now() + timeoutMs, options, onPart)
    this.waiting.add(call)
    this.startWaiting()
    if (this.waiting.has(call)) this.patience.push(call, timeoutMs)
    return (await call.outcome) as T
  }

  progress(command: number, type: string, detail: string): void {
    this.running.get(command)?.progress({ type, detail })
  }

  /** One of several results of a command. */
  part(command: number, part: Uint8Array): void {
    this.running.get(command)?.part(part)
  }

  done(command: number, outcome: Outcome): void {
    const call = this.running.get(command)
    if (call === undefined) return
    this.running.delete(command)
    if (outcome.ok) call.succeed(outcome.value)
    else call.fail(outcome.error)
    this.startWaiting()
  }

  failAll(error: Error): void {
    for (const call of [...this.running.values(), ...this.waiting]) call.fail(error)
    this.running.clear()
    this.waiting.clear()
    this.patience.clear()
  }

  /** A call given up while its command runs keeps its place until the command ends: the node is still busy with it. */
  private startWaiting(): void {
    for (const call of this.waiting) {
      if (call.isOver) this.waiting.delete(call)
      else if (this.running.size < mostRunning) this.start(call)
      else return
    }
  }

  private start(call: Call): void {
    this.waiting.delete(call)
    try {
      const id = this.host.command(this.application, (now, fx) => call.command(Math.max(1, call.deadline - now), now, fx))
      this.running.set(id, call)
    } catch (error) {
      call.fail(error)
    }
  }

  /** Time is up for a call that still waits. For one that runs, the command itself sees to it and knows what it waits for. */
  private giveUp(call: Call): void {
    if (this.waiting.delete(call))
      call.fail(new DeadlineError(`no turn came in time; ${this.running.size} commands were running before it`))
  }
}
