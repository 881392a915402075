import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { BoundedMap } from '@plaxton/upkeep'
import type { ChordState } from './state.ts'

/**
 * How those come in who speak unasked. Anybody may say that it is a member; so the answer to its question gives it a number, and when its next question shows
 * that number, the sender has heard this node and answers it. Whoever only repeats what others said never has the number.
 */
export class Tickets {
  private readonly state: ChordState
  /** Bound: `probesMax`. Full: the one given first is void; whoever shows it is given another. */
  private readonly given: BoundedMap<Guid, Ticket>

  constructor(state: ChordState) {
    this.state = state
    this.given = new BoundedMap(state.config.probesMax)
  }

  /** For one who is in no list and has a place in one. The same until it is shown, so that answers may cross. 0: it needs none. */
  giveTo(asker: NodeRef): number {
    const { state } = this
    const { id, epoch } = asker
    if (!state.lists.admits(id) || state.failed.refuses(asker)) return 0
    const before = this.given.get(id)
    if (before !== undefined && before.epoch === epoch) return before.number
    const number = state.nextSeq()
    this.given.set(id, { epoch, number })
    return number
  }

  /** Whether `number` was given to `from`. It counts once. */
  redeem(from: NodeRef, number: number): boolean {
    const given = this.given.get(from.id)
    if (number === 0 || given === undefined || given.epoch !== from.epoch || given.number !== number) return false
    return this.given.delete(from.id)
  }
}

interface Ticket {
  readonly epoch: number
  readonly number: number
}
