import type { Millis } from '@plaxton/kbr'

/** What is to be done when, in virtual time. What is due at one moment is done in the order it was entered. */
export class Agenda {
  now: Millis = 0
  private readonly due = new Map<Millis, Array<() => void>>()
  /** The keys of `due`, in order. */
  private readonly times: Millis[] = []

  at(delayMs: Millis, run: () => void): void {
    const time = this.now + delayMs
    const due = this.due.get(time)
    if (due !== undefined) return void due.push(run)
    this.due.set(time, [run])
    let low = 0
    let high = this.times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.times[middle]! < time) low = middle + 1
      else high = middle
    }
    this.times.splice(low, 0, time)
  }

  run(forMs: Millis): void {
    this.runUntil(() => false, forMs)
  }

  /** Runs until `done`, for at most `forMs`; says whether it was done. */
  runUntil(done: () => boolean, forMs: Millis): boolean {
    const end = this.now + forMs
    while (!done()) {
      const next = this.times[0]
      if (next === undefined || next > end) {
        this.now = end
        return done()
      }
      this.now = next
      const due = this.due.get(next)!
      due.shift()!()
      if (due.length > 0) continue
      this.due.delete(next)
      this.times.shift()
    }
    return true
  }
}
