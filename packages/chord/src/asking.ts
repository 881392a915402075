import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { BoundedMap, Probing } from '@plaxton/upkeep'
import type { Proximity, ProbingConfig, ProbingHost } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { ChordState } from './state.ts'

/**
 * Asks peers: neighbours, and strangers that may become neighbours, who is around them; others only whether they are there. Whoever does not answer three times is
 * taken to be dead.
 */
export class Asking implements ProbingHost {
  readonly config: ProbingConfig
  readonly probing: Probing
  private readonly state: ChordState
  /** Strangers that have been asked and have not answered yet. Bound: that of the probes. */
  private readonly courted = new Set<Guid>()
  /** Questions that have not been answered: of whom, by number. Bound: {@link openMax}. Full: the oldest goes, and its answer counts for nothing. */
  private readonly open = new BoundedMap<number, Guid>(openMax)
  /** What others want to see with the next question. Bound: {@link openMax}. Full: the oldest goes; the next answer brings another. */
  private readonly tickets = new BoundedMap<Guid, number>(openMax)
  private now: Millis = 0

  constructor(state: ChordState) {
    this.state = state
    this.config = { ...state.config, heartbeatMs: state.config.stabilizeMs }
    this.probing = new Probing(this)
  }

  get proximity(): Proximity {
    return this.state.proximity
  }

  get suspects(): ReadonlySet<Guid> {
    return this.probing.suspects
  }

  /** Whether the answer of a neighbour, or of one that may become a neighbour, is outstanding. */
  get busy(): boolean {
    if (this.courted.size > 0) return true
    return this.probing.size > 0 && this.state.lists.members.some(({ id }) => this.probing.has(id))
  }

  has(id: Guid): boolean {
    return this.probing.has(id)
  }

  /** Who is around you? Asks even while another question is outstanding, because what this node says of itself has changed. */
  ask(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.now = now
    if (this.probing.has(ref.id)) return this.stabilize(ref, this.state.nextSeq(), fx)
    this.court(ref, now, fx)
  }

  /** The same, unless a question is outstanding. */
  court(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.now = now
    const isStranger = !this.state.lists.has(ref.id)
    if (isStranger) this.courted.add(ref.id)
    this.probing.start(ref, false, now, fx)
    if (isStranger && !this.probing.has(ref.id)) this.courted.delete(ref.id)
  }

  /** A message of `ref` was not answered: until it answers, messages avoid it. */
  suspect(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.now = now
    this.probing.start(ref, true, now, fx)
  }

  /** Somebody says that `ref` is dead. */
  verify(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.now = now
    this.probing.verify(ref, now, fx)
  }

  /** Are you there? Nothing follows if it is not. */
  greet(ref: NodeRef, fx: OverlayEffects): void {
    send(ref, { type: 'ping', seq: this.number(ref, this.state.nextSeq()) }, fx)
  }

  /** `from` says that this answers question `seq`. Whether that is so: each question is answered once, by whom was asked. */
  answered(from: NodeRef, seq: number, now: Millis, fx: OverlayEffects): boolean {
    if (this.open.get(seq) !== from.id) return false
    this.open.delete(seq)
    this.heard(from, now, fx)
    return true
  }

  /** `from` takes this node in when it sees the ticket; 0: it needs none. Whether it is another than it has been shown. */
  noteTicket(from: NodeRef, ticket: number): boolean {
    const isNew = ticket !== 0 && this.tickets.get(from.id) !== ticket
    if (ticket === 0) this.tickets.delete(from.id)
    else this.tickets.set(from.id, ticket)
    return isNew
  }

  /** Something arrived from `from`: it lives, whether or not it has said yet who is around it. */
  heard(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.courted.delete(from.id)
    this.probing.heard(from, now, fx)
  }

  expired(seq: number, now: Millis, fx: OverlayEffects): NodeRef | undefined {
    this.now = now
    const silent = this.probing.expired(seq, now, fx)
    if (silent !== undefined) this.courted.delete(silent.id)
    return silent
  }

  drop(id: Guid): void {
    this.courted.delete(id)
    this.tickets.delete(id)
    this.probing.drop(id)
  }

  clear(): void {
    this.courted.clear()
    this.tickets.clear()
    this.probing.clear()
  }

  nextSeq(): number {
    return this.state.nextSeq()
  }

  find(id: Guid): NodeRef | undefined {
    return this.state.find(id)
  }

  ping(to: NodeRef, seq: number, fx: OverlayEffects): void {
    if (this.courted.has(to.id) || this.state.lists.has(to.id)) this.stabilize(to, seq, fx)
    else send(to, { type: 'ping', seq: this.number(to, seq) }, fx)
  }

  private stabilize(to: NodeRef, seq: number, fx: OverlayEffects): void {
    const ticket = this.tickets.get(to.id) ?? 0
    send(to, { type: 'stabilize', seq: this.number(to, seq), ticket, ...this.state.report(to.id, this.now) }, fx)
  }

  private number(to: NodeRef, seq: number): number {
    this.open.set(seq, to.id)
    return seq
  }
}

/** Some five times the questions of a joiner with lists of the greatest length. Our guess. */
const openMax = 512
