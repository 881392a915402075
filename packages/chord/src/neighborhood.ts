import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { tellRanks } from '@plaxton/upkeep'
import { Asking } from './asking.ts'
import { FingerKeeper } from './finger-keeper.ts'
import { ListRepair } from './list-repair.ts'
import { send } from './messages.ts'
import type { Leave, Neighbors, Pong, Report, Stabilize } from './messages.ts'
import type { ChordState } from './state.ts'
import { Tickets } from './tickets.ts'

/**
 * Keeps the successor list and the predecessors right: stabilise and rectify as Zave corrects them.
 *
 * - *Stabilise.* Whom a peer names is asked first, and enters the lists only by its own answer, which brings its lists along.
 * - *Rectify.* A nearer predecessor that speaks unasked is asked as well, with the answer to its question ({@link Tickets}); what it says about others counts only from then on.
 *   Whoever others take for dead, or leave out of their lists, is asked now, before it is given up.
 * - A neighbour that is dead goes from both lists in one step; the next in the list takes its place, and is told at once.
 */
export class Neighborhood {
  readonly asking: Asking
  readonly fingers: FingerKeeper
  private readonly state: ChordState
  private readonly repair: ListRepair
  private readonly tickets: Tickets
  /** Who was told that this node is its neighbour. */
  private successor: NodeRef | undefined = undefined
  /** Whom this node asked to confirm. */
  private predecessor: NodeRef | undefined = undefined
  private confirming = false
  /** Failures this node found by itself and has not told yet. Bound: `failedMax`. Full: further ones are left to the others. Undefined when none. */
  private news: Set<Guid> | undefined = undefined

  constructor(state: ChordState) {
    this.state = state
    this.asking = new Asking(state)
    this.fingers = new FingerKeeper(state)
    this.repair = new ListRepair(state, this.asking)
    this.tickets = new Tickets(state)
  }

  // Stabilise

  onStabilize(from: NodeRef, message: Stabilize, looksInto: boolean, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (!message.member || state.isReborn(from)) this.doubt(from, now, fx)
    const comesIn = message.member && this.tickets.accepts(from, message.ticket, now)
    if (comesIn || (message.member && state.lists.has(from.id))) state.admit(from, fx)
    // Everybody in the lists is asked to count this node, also who was not there when the others were.
    if (comesIn && state.standing === 'claiming') this.asking.ask(from, now, fx)
    this.heed(from, message, looksInto, now, fx)
    if (looksInto && state.find(from.id) !== undefined) this.learn(around(message), now, fx)
    state.agreements.note(from, message)
    const ticket = this.tickets.giveTo(from, now)
    send(from, { type: 'neighbors', seq: message.seq, counted: message.member && ticket === 0, ticket, ...state.report(from.id, now) }, fx)
  }

  /** Returns whether it is the answer to a question; if not, nothing it says counts. */
  onNeighbors(from: NodeRef, message: Neighbors, looksInto: boolean, now: Millis, fx: OverlayEffects): boolean {
    const { state, asking } = this
    if (!asking.answered(from, message.seq, now, fx)) return notAsked(from, fx)
    this.measure(from, message.seq, now)
    if (message.member) state.admit(from, fx)
    else if (state.hasResigned(from.id, message.seq)) this.dismiss(from, now, fx)
    this.heed(from, message, looksInto, now, fx)
    if (looksInto) this.learn(around(message), now, fx)
    state.agreements.note(from, message)
    if (asking.noteTicket(from, message.ticket) && state.counts) asking.ask(from, now, fx)
    return true
  }

  /** A finger, or one that is to become one, says that it is there. */
  onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    const { state, asking, fingers } = this
    const isAnswer = fingers.measuring.answered(from, pong.seq, now, fx) || asking.answered(from, pong.seq, now, fx)
    if (!isAnswer) return void notAsked(from, fx)
    this.measure(from, pong.seq, now)
    if (!pong.member) return this.doubt(from, now, fx)
    state.admitFinger(from, fx)
    if (state.counts) this.learn([from], now, fx)
  }

  /** Hearsay: those who may belong into the lists are asked; neighbours of one list that have a place in the other take it. */
  learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (refs.length === 0) return
    const { state } = this
    for (const ref of state.lists.wanted(state.credible(refs, now))) this.asking.court(ref, now, fx)
    const placed = state.lists.halfPlaced(refs)
    for (const ref of placed) state.admit(ref, fx)
    if (placed.length > 0) tellRanks(fx)
  }

  // Failures

  /** A peer was asked three times, or cannot be connected to: it is taken to be dead. */
  fail(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const known = state.find(ref.id)
    if (known !== undefined) {
      state.history.note(known, state.prng)
      fx.emit({ type: 'peer-failed', peer: known })
      if (state.lists.has(ref.id)) this.noteFailure(ref.id, fx)
    }
    state.failed.add(known ?? ref, false, now)
    this.lose(known ?? ref, now, fx)
  }

  onLeave(from: NodeRef, message: Leave, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(from.id)
    if (known === undefined || from.epoch < known.epoch) return
    this.state.failed.add(from, true, now)
    this.lose(known, now, fx)
    if (this.state.counts) this.learn(around(message), now, fx)
  }

  /** The neighbours hear of failures by questions that name them, and look for themselves. Unless somebody else was faster. */
  onNoticeTimer(now: Millis, fx: OverlayEffects): void {
    const isStillNews = this.news !== undefined && this.news.size > 0
    this.news = undefined
    if (!isStillNews || !this.state.counts) return
    for (const ref of this.state.lists.members) this.asking.ask(ref, now, fx)
  }

  onConfirmTimer(now: Millis, fx: OverlayEffects): void {
    this.confirming = false
    this.predecessor = undefined
    this.seekConfirmation(now, fx)
  }

  /** After every input: whoever has become a neighbour is told; gaps are closed. False when this node has lost everybody. */
  settle(now: Millis, fx: OverlayEffects): boolean {
    const { lists, standing } = this.state
    // A node that claims its place asks everybody anyway.
    if (standing === 'member') {
      const { successor } = lists
      if (successor !== this.successor) {
        this.successor = successor
        if (successor !== undefined) this.asking.ask(successor, now, fx)
      }
      this.seekConfirmation(now, fx)
    }
    if (!lists.wounded || this.asking.busy) return true
    return this.repair.proceed(now, fx) || lists.size > 0
  }

  clear(): void {
    this.asking.clear()
    this.fingers.clear()
    this.news = undefined
  }

  /** From a question to its answer. Where it is known how far a neighbour is, it is sooner known that it is dead. */
  private measure(from: NodeRef, seq: number, now: Millis): void {
    const rttMs = this.asking.probing.roundTrip(seq, now)
    if (rttMs !== undefined) this.state.proximity.sample(from.id, rttMs)
  }

  private seekConfirmation(now: Millis, fx: OverlayEffects): void {
    const { lists, counts, config } = this.state
    const { predecessor } = lists
    if (!counts || predecessor === undefined || lists.confirmed) return
    if (predecessor !== this.predecessor) this.asking.ask(predecessor, now, fx)
    this.predecessor = predecessor
    if (this.confirming) return
    this.confirming = true
    fx.startTimer('confirm', 0, config.confirmMs)
  }

  /** Whom a peer takes for dead, or leaves out, is asked; a predecessor may confirm. */
  private heed(from: NodeRef, report: Report, looksInto: boolean, now: Millis, fx: OverlayEffects): void {
    const { lists } = this.state
    for (const id of report.failed) {
      this.news?.delete(id)
      const ref = lists.get(id)
      if (ref !== undefined && id !== from.id) this.asking.verify(ref, now, fx)
    }
    if (looksInto && report.member) {
      const missing = lists.missingFrom(from.id, report.predecessors, report.successors)
      for (const ref of missing) this.asking.verify(ref, now, fx)
      if (lists.confirm(from.id, report.successors[0]?.id)) {
        tellRanks(fx)
        fx.becameReady()
      }
    }
  }

  /** A peer says that it is no member. It may have said so before it became one: it is asked. A new incarnation settles it. */
  private doubt(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(ref.id)
    if (known === undefined || ref.epoch < known.epoch) return
    if (ref.epoch > known.epoch || !this.state.lists.has(ref.id)) this.lose(known, now, fx)
    else this.asking.ask(known, now, fx)
  }

  private dismiss(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const known = this.state.find(ref.id)
    if (known !== undefined && ref.epoch >= known.epoch) this.lose(known, now, fx)
  }

  /** Out of all tables, and on with closing the gaps. */
  private lose(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.asking.drop(ref.id)
    this.state.drop(ref, fx)
    this.fingers.onGone(ref, now, fx)
    fx.peerFailed(ref)
    this.repair.restart()
  }

  /** To be told by who found it, and by its successor, whose list reaches further. */
  private noteFailure(failed: Guid, fx: OverlayEffects): void {
    const { config, prng, lists } = this.state
    if (this.asking.probing.isDoubted(failed) && lists.predecessor?.id !== failed) return
    if (this.news === undefined) fx.startTimer('failure-notice', 0, prng.jitter(config.failureNoticeMs, 0.5))
    const news = (this.news ??= new Set())
    if (news.size < config.failedMax) news.add(failed)
  }
}

function around({ predecessors, successors }: Pick<Report, 'predecessors' | 'successors'>): NodeRef[] {
  return [...predecessors, ...successors]
}

function notAsked(from: NodeRef, fx: OverlayEffects): false {
  fx.emit({ type: 'dropped', from, reason: 'an answer to a question that was not asked' })
  return false
}
