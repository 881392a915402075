import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import type { RoutingConfig } from './config.ts'
import type { Passage, Transmission } from './passage.ts'

/**
 * The transmissions of this node by their number: first those that await an acknowledgement, then, when a reply is wanted, those
 * through which it may come back. The latter include those that were not acknowledged in time: slow is not dead.
 */
export class TransmissionTable {
  private readonly config: RoutingConfig
  /**
   * In the order they were sent, which is that of their numbers. Bound: `inFlightMax`; the walking asks for {@link unackedSize} first. Undefined while there are none: usually
   * there is one or two, for which a map would be slow.
   */
  private unacked: Transmission[] | undefined = undefined
  /** In the order they were acknowledged or given up. Bound: `returnPathsMax`; full: the oldest goes. Undefined until the first. */
  private returnPaths: Map<number, Transmission> | undefined = undefined
  /** Nothing in `unacked` is due before. */
  private dueAt: Millis = Infinity

  constructor(config: RoutingConfig) {
    this.config = config
  }

  get unackedSize(): number {
    return this.unacked === undefined ? 0 : this.unacked.length
  }

  get returnPathsSize(): number {
    return this.returnPaths === undefined ? 0 : this.returnPaths.size
  }

  add(transmission: Transmission): void {
    if (this.unacked === undefined) this.unacked = [transmission]
    else this.unacked.push(transmission)
    if (transmission.dueAt < this.dueAt) this.dueAt = transmission.dueAt
  }

  find(seq: number): Transmission | undefined {
    return this.unacked?.[this.placeOf(seq)] ?? this.returnPaths?.get(seq)
  }

  /** Nothing more is expected of it. */
  remove(transmission: Transmission): void {
    if (!this.removeUnacked(transmission.seq)) this.returnPaths?.delete(transmission.seq)
  }

  /** Only its reply is awaited from now on. Returns true when another had to be forgotten for it. */
  awaitReply(transmission: Transmission): boolean {
    this.removeUnacked(transmission.seq)
    const returnPaths = (this.returnPaths ??= new Map())
    const full = returnPaths.size >= this.config.returnPathsMax
    if (full) {
      for (const oldest of returnPaths.keys()) {
        returnPaths.delete(oldest)
        break
      }
    }
    returnPaths.set(transmission.seq, transmission)
    return full
  }

  /** Takes out those whose acknowledgement is overdue, in the order they were sent. */
  takeOverdue(now: Millis): readonly Transmission[] {
    if (this.dueAt > now) return none
    this.dueAt = Infinity
    const { unacked } = this
    if (unacked === undefined) return none
    const waiting = unacked.filter(({ dueAt }) => dueAt > now)
    for (const { dueAt } of waiting) if (dueAt < this.dueAt) this.dueAt = dueAt
    if (waiting.length === unacked.length) return none
    this.unacked = waiting.length === 0 ? undefined : waiting
    return unacked.filter(({ dueAt }) => dueAt <= now)
  }

  /** Takes out all to `peer`, in the order they were sent; returns those that had not timed out before. */
  takeAllTo(peer: Guid): Transmission[] {
    const all: Transmission[] = []
    for (const transmission of this.unacked ?? none) if (transmission.to.id === peer) all.push(transmission)
    for (const transmission of this.returnPaths?.values() ?? none) if (transmission.to.id === peer) all.push(transmission)
    for (const transmission of all) this.remove(transmission)
    return all.filter((transmission) => transmission.state !== 'overdue').sort((a, b) => a.seq - b.seq)
  }

  /** Takes out all that await an acknowledgement. */
  takeUnacked(): Transmission[] {
    const all = this.unacked ?? []
    this.unacked = undefined
    this.dueAt = Infinity
    return all
  }

  /** Forgets return paths whose source has given up. Returns when to come again. */
  wake(now: Millis): Millis {
    for (const transmission of this.returnPaths?.values() ?? none) {
      // In the order of their acknowledgement, so one with a late deadline hides others for a while; the bound holds all the same.
      if (transmission.passage.replyUntil > now) return Math.min(this.dueAt, now + sweepMs)
      this.returnPaths!.delete(transmission.seq)
    }
    return this.dueAt
  }

  assertInvariants(): void {
    if (this.unacked === undefined && this.returnPaths === undefined) return
    const open = new Map<Passage, number>()
    for (const { state, passage } of this.unacked ?? none) {
      assert(state === 'sent', `a transmission that is ${state} awaits an acknowledgement`)
      open.set(passage, (open.get(passage) ?? 0) + 1)
    }
    for (const { state, passage } of this.returnPaths?.values() ?? none) {
      assert(state !== 'sent', 'an unacknowledged transmission has no deadline')
      if (state === 'accepted') open.set(passage, (open.get(passage) ?? 0) + 1)
    }
    for (const [passage, count] of open) assert(passage.copies >= count, `${count} copies are under way, ${passage.copies} counted`)
    this.unacked?.forEach(({ seq }, i, all) => assert(i === 0 || all[i - 1]!.seq < seq, 'transmissions are in the order of their numbers'))
    assert(this.unackedSize <= this.config.inFlightMax, `${this.unackedSize} messages are under way`)
    assert(this.returnPathsSize <= this.config.returnPathsMax, `${this.returnPathsSize} return paths`)
  }

  /** Where in `unacked` the transmission of that number is; -1 when it is not there. */
  private placeOf(seq: number): number {
    const unacked = this.unacked ?? none
    let low = 0
    let high = unacked.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (unacked[middle]!.seq < seq) low = middle + 1
      else high = middle
    }
    return unacked[low]?.seq === seq ? low : -1
  }

  private removeUnacked(seq: number): boolean {
    const { unacked } = this
    const at = this.placeOf(seq)
    if (unacked === undefined || at < 0) return false
    if (unacked.length === 1) this.unacked = undefined
    else unacked.splice(at, 1)
    return true
  }
}

const none: readonly Transmission[] = []

/** How often return paths that nobody needs any more are looked for. Our guess; memory is bounded without it. */
const sweepMs = 5_000
