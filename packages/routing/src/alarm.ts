import type { Effects, Millis, Timer } from '@plaxton/kbr'

/**
 * One timer for everything that can come due in the walking: a node asks to be woken at the earliest of its deadlines, however many
 * there are. Timers cannot be taken back; those that still run are kept on a stack, so that a deadline later than one of them starts
 * no other.
 */
export class Alarm {
  /** When the running timers ring, the earliest last. Each is earlier than those before it. Undefined while none runs. */
  private running: Millis[] | undefined = undefined

  /** Sees to it that the node is woken at `at` or before. */
  set(at: Millis, now: Millis, fx: Effects): void {
    const { running } = this
    const depth = running === undefined ? 0 : running.length
    if (running === undefined) this.running = [at]
    else if (running[depth - 1]! <= at) return
    else running.push(at)
    fx.startTimer(depth < wakeTimers.length ? wakeTimers[depth]! : wakeTimer(depth), Math.max(0, at - now))
  }

  /**
   * The timer at `depth` rang, be it a little early or late. The node then looks at all its deadlines and sets the alarm anew, so
   * forgetting a timer that still runs costs one needless waking and nothing else.
   */
  rang(depth: number): void {
    const { running } = this
    if (running === undefined || depth < 0) return
    // Setting the length would be slower.
    if (depth === 0) this.running = undefined
    else while (running.length > depth) running.pop()
  }
}

/** Kind of the one timer of the walking; its argument is its depth in the alarm's stack. */
export const wakeKind = 'wake'

function wakeTimer(depth: number): Timer {
  return { owner: 'routing', kind: wakeKind, arg: depth }
}

/** Timers are values; the common ones are shared. */
const wakeTimers: readonly Timer[] = [0, 1, 2, 3].map(wakeTimer)
