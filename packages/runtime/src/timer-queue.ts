import type { Millis } from '@plaxton/kbr'
import type { Clock } from './clock.ts'

/**
 * Items that come due at a time, earliest first and in order of insertion among equals. A binary heap behind one platform timer: cores
 * never cancel a timer, so most of those waiting find nothing to do, and one handle makes stopping a single call.
 *
 * Unbounded in itself; what is pushed is bounded by the cores' own limits.
 */
export class TimerQueue<T> {
  private readonly clock: Clock
  private readonly onDue: (item: T) => void
  private readonly heap: Array<Entry<T>> = []
  private inserted = 0
  private armedFor = Infinity
  private disarm: (() => void) | undefined
  /** The alarm rang late and was put off once. */
  private putOff = false

  /** `onDue` is called once per item, outside of any call of `push`. */
  constructor(clock: Clock, onDue: (item: T) => void) {
    this.clock = clock
    this.onDue = onDue
  }

  /** Items waiting. */
  get size(): number {
    return this.heap.length
  }

  /** `item` comes due `delayMs` from now. */
  push(item: T, delayMs: Millis): void {
    const entry = { due: this.clock.now() + delayMs, order: this.inserted++, item }
    this.heap.push(entry)
    siftUp(this.heap, this.heap.length - 1)
    if (entry.due < this.armedFor) this.arm(entry.due)
  }

  /** Forgets every item. */
  clear(): void {
    this.heap.length = 0
    this.disarm?.()
    this.disarm = undefined
    this.armedFor = Infinity
    this.putOff = false
  }

  private arm(due: Millis): void {
    this.disarm?.()
    this.armedFor = due
    this.disarm = this.clock.after(Math.max(0, due - this.clock.now()), () => this.ring())
  }

  /**
   * Platform timers ring a millisecond early now and then, and those of more than 24 days long before: what is not due yet stays. One that
   * rings late says that the process stood still. What arrived meanwhile lies unread and goes first, or else every peer whose answer is
   * among it would be taken for silent.
   */
  private ring(): void {
    const now = this.clock.now()
    const isLate = now - this.armedFor > toleratedLateMs
    this.armedFor = Infinity
    this.disarm = undefined
    this.putOff = isLate && !this.putOff
    if (this.putOff) return this.arm(now)
    for (let first = this.heap[0]; first !== undefined && first.due <= now; first = this.heap[0]) {
      removeFirst(this.heap)
      this.onDue(first.item)
    }
    const next = this.heap[0]
    if (next !== undefined && next.due < this.armedFor) this.arm(next.due)
  }
}

/** Our choice: longer than a timer is late on a process with something to do, shorter than any wait for an answer. */
const toleratedLateMs = 20

interface Entry<T> {
  readonly due: Millis
  readonly order: number
  readonly item: T
}

function isEarlier<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}

function siftUp<T>(heap: Array<Entry<T>>, from: number): void {
  const entry = heap[from] as Entry<T>
  let index = from
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent] as Entry<T>
    if (!isEarlier(entry, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

function removeFirst<T>(heap: Array<Entry<T>>): void {
  const last = heap.pop() as Entry<T>
  if (heap.length === 0) return
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isEarlier(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child++
    if (!isEarlier(heap[child] as Entry<T>, last)) break
    heap[index] = heap[child] as Entry<T>
    index = child
  }
  heap[index] = last
}
