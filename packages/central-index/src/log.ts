import { maxUpdates } from './messages.ts'
import type { Update } from './messages.ts'

/**
 * The latest changes made at one server, by position: the first ever was at 0. Bound: `weightMax`, where a change weighs one and each listing in it one
 * more; full: the oldest go, all but the last.
 */
export class UpdateLog {
  private readonly weightMax: number
  private updates: Update[] = []
  /** Those before this one have gone; cut off now and then, so that each costs the same. */
  private head = 0
  private weight = 0
  /** The position of the oldest change that is remembered. */
  begin = 0

  constructor(weightMax: number) {
    this.weightMax = weightMax
  }

  /** The position of the next change. */
  get end(): number {
    return this.begin + this.updates.length - this.head
  }

  append(update: Update): void {
    this.updates.push(update)
    this.weight += weightOf(update)
    while (this.weight > this.weightMax && this.end - this.begin > 1) {
      this.weight -= weightOf(this.updates[this.head]!)
      this.head++
      this.begin++
    }
    if (2 * this.head < this.updates.length) return
    this.updates = this.updates.slice(this.head)
    this.head = 0
  }

  /** The changes from `position` on, as many as one message can hold at most. */
  from(position: number): readonly Update[] {
    const start = this.head + position - this.begin
    return this.updates.slice(start, start + maxUpdates)
  }
}

function weightOf({ listed, withdrawn }: Update): number {
  return 1 + listed.length + withdrawn.length
}
