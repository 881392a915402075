import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Asking } from './asking.ts'
import { FingerKeeper } from './finger-keeper.ts'
import { ListRepair } from './list-repair.ts'
import { send } from './messages.ts'
import type { Leave, Neighbors, Report, Stabilize } from './messages.ts'
import type { ChordState } from './state.ts'

/**
 * Keeps the successor list and the predecessors right: stabilise and rectify as Zave corrects them.
 *
 * - *Stabilise.* What a peer says about itself counts; whom it names is asked first, and enters the lists only by its own answer, which brings its lists along.
 * - *Rectify.* A nearer predecessor that speaks is taken at once. Whoever others take for dead, or leave out of their lists, is asked now, before it is given up.
 * - A neighbour that is dead goes from both lists in one step; the next in the list takes its place, and is told at once.
 */
export class Neighborhood {
  readonly asking: Asking
  readonly fingers: FingerKeeper
  private readonly state: ChordState
  private readonly repair: ListRepair
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
  }

  // Stabilise

  onStabilize(from: NodeRef, message: Stabilize, looksInto: boolean, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (message.member) state.admit(from, fx)
    else this.doubt(from, now, fx)
    this.takeReport(from, message, looksInto, now, fx)
    const counted = message.member && !state.lists.admits(from.id)
    send(from, { type: 'neighbors', seq: message.seq, counted, ...state.report(now) }, fx)
  }

  onNeighbors(from: NodeRef, message: Neighbors, looksInto: boolean, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    this.asking.heard(from, now, fx)
    if (message.member) state.admit(from, fx)
    else if (state.hasResigned(from.id, message.seq)) this.dismiss(from, now, fx)
    this.takeReport(from, message, looksInto, now, fx)
  }

  /** A peer says that it is or is not a member, and nothing else. */
  meet(from: NodeRef, isMember: boolean, now: Millis, fx: OverlayEffects): void {
    if (!isMember) this.doubt(from, now, fx)
    else if (this.state.admit(from, fx) && this.state.counts) this.asking.ask(from, now, fx)
  }

  /** Hearsay: those who may belong into the lists are asked; neighbours of one list that have a place in the other take it. */
  learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    if (refs.length === 0) return
    const { state } = this
    for (const ref of state.lists.wanted(state.credible(refs, now))) this.asking.court(ref, now, fx)
    for (const ref of state.lists.halfPlaced(refs)) state.admit(ref, fx)
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
    if (this.state.counts) this.learn([...message.predecessors, ...message.successors], now, fx)
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

  /** What a peer says about others is looked into. */
  private takeReport(from: NodeRef, report: Report, looksInto: boolean, now: Millis, fx: OverlayEffects): void {
    const { lists } = this.state
    for (const id of report.failed) {
      this.news?.delete(id)
      const ref = lists.get(id)
      if (ref !== undefined && id !== from.id) this.asking.verify(ref, now, fx)
    }
    if (!looksInto) return
    if (report.member) {
      const missing = lists.missingFrom(from.id, report.predecessors, report.successors)
      for (const ref of missing) this.asking.verify(ref, now, fx)
      if (lists.confirm(from.id, report.successors[0]?.id)) {
        fx.routesChanged()
        fx.becameReady()
      }
    }
    this.learn([...report.predecessors, ...report.successors], now, fx)
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
