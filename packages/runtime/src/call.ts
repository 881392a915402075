import type { AbortSignalLike, AppEffects, CallOptions, Millis, ProgressEvent } from '@plaxton/kbr'

/** Begins a command in a step, with the time it may take, and returns its id. */
export type Command = (timeoutMs: Millis, now: Millis, fx: AppEffects) => number

/** One promised call of an application, from its turn in the queue to its end. The first end counts. */
export class Call {
  readonly command: Command
  readonly deadline: Millis
  /** Settles with the command's outcome or whatever came before it. */
  readonly outcome: Promise<unknown>
  private readonly settle = Promise.withResolvers<unknown>()
  private readonly signal: AbortSignalLike | undefined
  private readonly onProgress: ((event: ProgressEvent) => void) | undefined
  private readonly onPart: ((part: Uint8Array) => void) | undefined
  private readonly onAbort = (): void => this.fail(this.signal?.reason)
  private over = false

  constructor(command: Command, deadline: Millis, { signal, onProgress }: CallOptions, onPart?: (part: Uint8Array) => void) {
    this.command = command
    this.deadline = deadline
    this.outcome = this.settle.promise
    this.signal = signal
    this.onProgress = onProgress
    this.onPart = onPart
    signal?.addEventListener('abort', this.onAbort)
    if (signal?.aborted === true) this.onAbort()
  }

  get isOver(): boolean {
    return this.over
  }

  /** Hands one step to whoever watches. If the watcher throws, its own call fails with that. */
  progress(event: ProgressEvent): void {
    if (this.over) return
    try {
      this.onProgress?.(event)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Hands one of several results to whoever takes them. */
  part(part: Uint8Array): void {
    if (!this.over) this.onPart?.(part)
  }

  succeed(value: unknown): void {
    this.end()
    this.settle.resolve(value)
  }

  fail(error: unknown): void {
    this.end()
    this.settle.reject(error)
  }

  private end(): void {
    this.over = true
    this.signal?.removeEventListener('abort', this.onAbort)
  }
}
