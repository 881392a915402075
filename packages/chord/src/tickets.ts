import { Prng } from '@plaxton/kbr'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { ChordState } from './state.ts'

/**
 * How those come in who speak unasked. Anybody may say that it is a member; so the answer to its question gives it a number, and when its next question shows
 * that number, the sender has heard this node and answers it. Whoever only repeats what others said never has the number.
 *
 * Nothing is kept of those who ask, however many: the number follows from a secret, the asker and the time.
 */
export class Tickets {
  private readonly state: ChordState
  private readonly secret: string

  constructor(state: ChordState) {
    this.state = state
    this.secret = `${state.prng.nextUint32()} ${state.prng.nextUint32()}`
  }

  /** For one who is in no list and has a place in one. The same for a while, so that answers may cross. 0: it needs none. */
  giveTo(asker: NodeRef, now: Millis): number {
    const { lists, failed } = this.state
    return lists.admits(asker.id) && !failed.refuses(asker) ? this.numberOf(asker, periodAt(now)) : 0
  }

  /** Whether `number` was given to `from`, not long ago. */
  accepts(from: NodeRef, number: number, now: Millis): boolean {
    const period = periodAt(now)
    return number !== 0 && (number === this.numberOf(from, period) || number === this.numberOf(from, period - 1))
  }

  /** No cipher: a node that worked out the secret could only come in by itself, which it may, or write the number into the frames of another, which the link prevents. */
  private numberOf({ id, epoch }: NodeRef, period: number): number {
    return 1 + Prng.fromSeed(`${this.secret} ${id} ${epoch} ${period}`).nextUint32()
  }
}

function periodAt(now: Millis): number {
  return Math.floor(now / periodMs)
}

/** Longer than a joiner takes from its first question to its last. Our guess. */
const periodMs = 60_000
