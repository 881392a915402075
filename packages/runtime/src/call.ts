import type { AbortSignalLike, AppEffects, Millis, ProgressEvent } from '@plaxton/kbr'
import { DeadlineError } from '@plaxton/kbr'
import type { Clock } from './clock.ts'

/** Begins a command in a step and returns its id. */
export type Command = (now: Millis, fx: AppEffects) => number

/** One promised call of an application, from its turn in the queue to its end. The first end counts. */
export class Call {
  readonly command: Command
  private readonly onProgress: ((event: ProgressEvent) => void) | undefined
  private readonly settled = Promise.withResolvers<unknown>()
  private lastStep = 'waiting for its turn'
  private over = false
  private letGo = (): void => {}

  constructor(command: Command, onProgress: ((event: ProgressEvent) => void) | undefined) {
    this.command = command
    this.onProgress = onProgress
  }

  get isOver(): boolean {
    return this.over
  }

  /** Settles with the command's outcome, the signal's reason, or a `DeadlineError` that names the last step. Called once. */
  outcome(what: string, timeoutMs: Millis, signal: AbortSignalLike | undefined, clock: Clock): Promise<unknown> {
    const abort = (): void => this.fail(signal?.reason)
    const callOff = clock.after(timeoutMs, () =>
      this.fail(new DeadlineError(`${what} did not end within ${timeoutMs} ms; the last step was: ${this.lastStep}`)),
    )
    signal?.addEventListener('abort', abort)
    this.letGo = () => {
      callOff()
      signal?.removeEventListener('abort', abort)
    }
    if (this.over) this.letGo()
    return this.settled.promise
  }

  /** Hands one step to whoever watches; an observer that throws fails its own call. */
  progress(event: ProgressEvent): void {
    if (this.over) return
    this.lastStep = event.detail
    try {
      this.onProgress?.(event)
    } catch (error) {
      this.fail(error)
    }
  }

  succeed(value: unknown): void {
    this.end()
    this.settled.resolve(value)
  }

  fail(error: unknown): void {
    this.end()
    this.settled.reject(error)
  }

  private end(): void {
    this.over = true
    this.letGo()
  }
}
