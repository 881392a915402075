import { setTimeout as delay } from 'node:timers/promises'
import { DeadlineError } from '@plaxton/kbr'
import { formatDuration } from '../output/format.ts'

export interface Wait {
  /** What is wrong while something is missing, as it follows a number: `blocks lack copies`. */
  readonly complaint: string
  readonly withinMs: number
  /** Pause between two looks. */
  readonly everyMs: number
  /** How much is missing now. */
  readonly missing: () => number | Promise<number>
  readonly signal: AbortSignal
}

/** Resolves once nothing is missing; rejects with `DeadlineError` when that takes too long, and with the signal's reason. */
export async function waitUntil({ complaint, withinMs, everyMs, missing, signal }: Wait): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    const count = await missing()
    if (count === 0) return
    if (performance.now() - startedAt > withinMs) throw new DeadlineError(`${count} ${complaint} after ${formatDuration(withinMs)}`)
    await delay(everyMs, undefined, { signal })
  }
}
