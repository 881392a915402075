import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { foundMax, refsMax, send } from './messages.ts'
import { Rate } from './rate.ts'
import type { Multicast, MulticastAck, MulticastPurpose } from './messages.ts'
import type { TapestryState } from './state.ts'

/** What a multicast is about, the same at all nodes. */
export interface Announcement {
  readonly purpose: MulticastPurpose
  readonly subject: NodeRef
  /** All nodes that share so many digits with the one where it starts are to be told. */
  readonly level: number
  readonly slots: readonly number[]
}

/** A multicast that began here has reached everybody: whom, and what was found for the slots it asked for. */
export interface Completed extends Announcement {
  readonly token: number
  readonly ids: readonly Guid[]
  readonly refs: readonly NodeRef[]
}

/**
 * Acknowledged multicast (JSAC 2004, §III-C; Hildrum et al. 2002, §4). A node that is to tell everybody who shares l digits with it tells one node in each slot
 * of level l, which tells those who share l + 1 digits with it; and does the same on its own next level. It acknowledges when all whom it told have. The one
 * with which it began then knows that everybody has been told.
 *
 * Whoever does not answer is asked again, then another node of its slot is told instead. It ends also when nobody is left in a slot: then there is nobody to tell.
 *
 * A message that makes many is taken from acquaintances only, never for more than the sender's slot for this node stands for, and so often from each.
 */
export class Multicasts {
  private readonly state: TapestryState
  /** Bound: `multicastsMax`. Full: a new one is not taken on; its sender asks again, then asks another. Undefined until the first. */
  private running: Map<number, Running> | undefined = undefined
  /** Those that are over, in case an acknowledgement was lost. Bound: `multicastsMax`. Full: the first is forgotten. Undefined until then. */
  private over: Map<number, Over> | undefined = undefined
  private readonly rate: Rate
  /** When the last insertion of a node passed here. Bound: `watchMax`. Full: the first is forgotten. Undefined until then. */
  private passedAt: Map<Guid, Millis> | undefined = undefined

  constructor(state: TapestryState) {
    this.state = state
    this.rate = new Rate(state.config.multicastBurst, state.config.multicastEveryMs)
  }

  /** Begins one here. Returns its token, or what came of it when there is nobody else to tell; undefined when too many are running. */
  begin(announcement: Announcement, now: Millis, fx: OverlayEffects): number | Completed | undefined {
    const token = this.state.prng.nextUint32() * 1_048_576 + this.state.prng.nextInt(1_048_576)
    const running = this.start(token, announcement, undefined, [], now, fx)
    if (running === undefined) return undefined
    return running.children.length === 0 ? this.complete(running, fx) : token
  }

  /**
   * Whether this is the first copy of a multicast, which is to be acted on and then passed on by {@link pass}. Answers any other, but for those that are too many:
   * their sender asks again, then asks another.
   */
  isNew(from: NodeRef, message: Multicast, now: Millis, fx: OverlayEffects): boolean {
    const over = this.over?.get(message.token)
    if (over !== undefined) {
      const isSame = over.parent === from.id
      acknowledge(from, message.seq, true, isSame ? over.ids : [], isSame ? over.refs : [], fx)
      return false
    }
    const running = this.running?.get(message.token)
    if (running !== undefined) {
      // From a second parent: it is being done for the first.
      const isSame = running.parent?.ref.id === from.id
      if (isSame) running.parent!.seq = message.seq
      acknowledge(from, message.seq, !isSame, [], [], fx)
      return false
    }
    if (message.purpose === 'obituary' && this.hasTold(message, now)) {
      acknowledge(from, message.seq, true, [], [], fx)
      return false
    }
    if (this.running !== undefined && this.running.size >= this.state.config.multicastsMax) return false
    if (message.purpose === 'insert' && this.openFor(message.subject.id) >= attemptsMax) return false
    return this.rate.take(from.id, now)
  }

  /** Tells the others below this node; `found` is what this one contributes. `awaits`: it is not over before {@link release}. */
  pass(from: NodeRef, message: Multicast, found: readonly NodeRef[], awaits: boolean, now: Millis, fx: OverlayEffects): void {
    const parent = { ref: from, seq: message.seq }
    const running = this.start(message.token, message, parent, found, now, fx)
    if (running === undefined) return
    running.awaits = awaits
    if (running.children.length > 0) acknowledge(from, message.seq, false, [], [], fx)
    else if (!awaits) this.complete(running, fx)
  }

  /** The subject has answered, or is not going to. */
  release(subject: Guid, fx: OverlayEffects): void {
    for (const running of [...(this.running?.values() ?? [])]) {
      if (!running.awaits || running.announcement.subject.id !== subject) continue
      running.awaits = false
      if (running.children.length === 0) this.complete(running, fx)
    }
  }

  /** Returns what came of a multicast that began here, when this was its last acknowledgement. */
  onAck(from: NodeRef, ack: MulticastAck, now: Millis, fx: OverlayEffects): Completed | undefined {
    for (const running of this.running?.values() ?? []) {
      const child = running.children.find((candidate) => candidate.seq === ack.seq && candidate.ref.id === from.id)
      if (child === undefined) continue
      child.heardAt = now
      if (!ack.done) return undefined
      for (const id of ack.ids) if (running.ids.size < refsMax) running.ids.add(id)
      for (const ref of ack.refs) if (running.refs.size < foundMax) running.refs.set(ref.id, ref)
      return this.finish(running, child, fx)
    }
    return undefined
  }

  /** Asks those again that have not answered. Returns those to be looked at, and a multicast that is complete because nobody is left to tell. */
  onTimer(arg: number, now: Millis, fx: OverlayEffects): { readonly silent: NodeRef[]; readonly completed: Completed | undefined } {
    const silent: NodeRef[] = []
    const running = this.numbered(arg)
    if (running === undefined) return { silent, completed: undefined }
    const { multicastMs, multicastRetries, insertMs } = this.state.config
    if (now - running.startedAt >= insertMs) return { silent, completed: this.giveUp(running, fx) }
    let completed: Completed | undefined
    for (const child of [...running.children]) {
      if (now - child.heardAt < multicastMs) {
        this.send(running, child, fx)
        continue
      }
      if (child.tries > multicastRetries) {
        silent.push(child.ref)
        completed = this.substitute(running, child, now, fx) ?? completed
      } else {
        this.send(running, child, fx)
      }
    }
    if (running.children.length > 0) fx.startTimer('multicast', running.number, multicastMs)
    return { silent, completed }
  }

  /** A peer is gone: another is told instead. Returns those that began here and are complete by this. */
  onGone(peer: NodeRef, now: Millis, fx: OverlayEffects): Completed[] {
    const completed: Completed[] = []
    for (const running of [...(this.running?.values() ?? [])]) {
      for (const child of running.children.filter(({ ref }) => ref.id === peer.id)) {
        const done = this.substitute(running, child, now, fx)
        if (done !== undefined) completed.push(done)
      }
    }
    return completed
  }

  /** The watch list: nodes whose insertion has passed here and has not been acknowledged yet. */
  inserting(): NodeRef[] {
    const subjects: NodeRef[] = []
    for (const { announcement } of this.running?.values() ?? []) if (announcement.purpose === 'insert') subjects.push(announcement.subject)
    return subjects
  }

  clear(): void {
    this.running = undefined
    this.over = undefined
    this.passedAt = undefined
  }

  private start(
    token: number,
    announcement: Announcement,
    parent: Running['parent'],
    found: readonly NodeRef[],
    now: Millis,
    fx: OverlayEffects,
  ): Running | undefined {
    const { state } = this
    const table = (this.running ??= new Map())
    if (table.size >= state.config.multicastsMax) return undefined
    const { purpose, subject, level, slots } = announcement
    const running: Running = {
      token,
      number: state.nextSeq(),
      announcement: { purpose, subject, level, slots },
      parent,
      children: [],
      startedAt: now,
      awaits: false,
      ids: new Set(purpose === 'insert' && state.standing !== 'leaving' ? [state.self.id] : []),
      refs: new Map(found.map((ref) => [ref.id, ref])),
    }
    table.set(token, running)
    if (purpose === 'insert') this.notePassed(subject.id, now)
    this.fanOut(running, now, fx)
    if (running.children.length > 0) fx.startTimer('multicast', running.number, state.config.multicastMs)
    return running
  }

  /** To one node in every slot from the multicast's level on. */
  private fanOut(running: Running, now: Millis, fx: OverlayEffects): void {
    const { map } = this.state
    for (let level = running.announcement.level; level < map.depth; level++) {
      for (let digit = 0; digit < map.base(level); digit++) {
        const ref = this.pick(running, level, digit, [], now)
        if (ref === undefined) continue
        const child = { level, digit, ref, seq: 0, tries: 0, heardAt: -Infinity, tried: [] }
        running.children.push(child)
        this.send(running, child, fx)
      }
    }
  }

  /** One of a slot. Who has come in lately may not know yet all those below it: others are told before. */
  private pick(running: Running, level: number, digit: number, tried: readonly Guid[], now: Millis): NodeRef | undefined {
    const { subject } = running.announcement
    const isUsable = (ref: NodeRef): boolean => ref.id !== subject.id && !tried.includes(ref.id)
    const inSlot = this.state.map.slot(level, digit)
    const first = inSlot.find(isUsable)
    if (inSlot.length === 0 || (first !== undefined && this.cameAt(first.id, now) === 0)) return first
    const usable = [...inSlot, ...this.state.siblings.within(inSlot[0]!.id, level + 1)].filter(isUsable)
    return usable.sort((a, b) => this.cameAt(a.id, now) - this.cameAt(b.id, now))[0]
  }

  /** When the insertion of a node passed here, if that was lately; otherwise 0. */
  private cameAt(id: Guid, now: Millis): Millis {
    const at = this.passedAt?.get(id) ?? 0
    return now - at < this.state.config.watchMs ? at : 0
  }

  private notePassed(subject: Guid, now: Millis): void {
    const passedAt = (this.passedAt ??= new Map())
    passedAt.delete(subject)
    passedAt.set(subject, now)
    if (passedAt.size <= this.state.config.watchMax) return
    for (const first of passedAt.keys()) {
      passedAt.delete(first)
      break
    }
  }

  private send(running: Running, child: Child, fx: OverlayEffects): void {
    const { announcement, token } = running
    if (child.seq === 0) child.seq = this.state.nextSeq()
    child.tries++
    send(child.ref, { type: 'multicast', ...announcement, seq: child.seq, token, level: child.level + 1 }, fx)
  }

  private substitute(running: Running, child: Child, now: Millis, fx: OverlayEffects): Completed | undefined {
    child.tried.push(child.ref.id)
    const other = child.tried.length >= substitutesMax ? undefined : this.pick(running, child.level, child.digit, child.tried, now)
    if (other === undefined) return this.finish(running, child, fx)
    child.ref = other
    child.seq = 0
    child.tries = 0
    child.heardAt = -Infinity
    this.send(running, child, fx)
    return undefined
  }

  private finish(running: Running, child: Child, fx: OverlayEffects): Completed | undefined {
    running.children.splice(running.children.indexOf(child), 1)
    return running.children.length === 0 && !running.awaits ? this.complete(running, fx) : undefined
  }

  /** Somebody says without end that it is still at it. */
  private giveUp(running: Running, fx: OverlayEffects): Completed | undefined {
    running.children.length = 0
    return running.awaits ? undefined : this.complete(running, fx)
  }

  /** Whether all that this is for have lately been told, or are being told. They would not look again so soon. */
  private hasTold({ purpose, subject, level }: Multicast, now: Millis): boolean {
    const isSame = ({ announcement, startedAt }: Running | Over): boolean =>
      announcement.purpose === purpose &&
      announcement.subject.id === subject.id &&
      announcement.subject.epoch >= subject.epoch &&
      announcement.level <= level &&
      now - startedAt <= this.state.config.heartbeatMs
    return [...(this.running?.values() ?? []), ...(this.over?.values() ?? [])].some(isSame)
  }

  private openFor(subject: Guid): number {
    let open = 0
    for (const { announcement } of this.running?.values() ?? []) {
      if (announcement.purpose === 'insert' && announcement.subject.id === subject) open++
    }
    return open
  }

  private complete(running: Running, fx: OverlayEffects): Completed | undefined {
    const { token, parent, announcement, startedAt } = running
    const [ids, refs] = [[...running.ids], [...running.refs.values()]]
    this.running?.delete(token)
    const over = (this.over ??= new Map())
    over.set(token, { announcement, startedAt, parent: parent?.ref.id, ids, refs })
    if (over.size > this.state.config.multicastsMax) {
      for (const first of over.keys()) {
        over.delete(first)
        break
      }
    }
    if (parent === undefined) return { ...announcement, token, ids, refs }
    acknowledge(parent.ref, parent.seq, true, ids, refs, fx)
    return undefined
  }

  private numbered(number: number): Running | undefined {
    for (const running of this.running?.values() ?? []) if (running.number === number) return running
    return undefined
  }
}

function acknowledge(to: NodeRef, seq: number, done: boolean, ids: readonly Guid[], refs: readonly NodeRef[], fx: OverlayEffects): void {
  send(to, { type: 'multicast-ack', seq, done, ids: ids.slice(0, refsMax), refs: refs.slice(0, foundMax) }, fx)
}

interface Running {
  readonly token: number
  /** Names it in timers. */
  readonly number: number
  readonly announcement: Announcement
  /** Undefined where it began. */
  readonly parent: { readonly ref: NodeRef; seq: number } | undefined
  /** Those told who have not acknowledged. Bound: the slots of a map. */
  readonly children: Child[]
  readonly startedAt: Millis
  /** The subject has not answered this node yet. */
  awaits: boolean
  readonly ids: Set<Guid>
  readonly refs: Map<Guid, NodeRef>
}

interface Child {
  readonly level: number
  readonly digit: number
  ref: NodeRef
  seq: number
  tries: number
  /** When it last said that it is still at it. */
  heardAt: Millis
  /** Those of the slot that did not answer. */
  readonly tried: Guid[]
}

interface Over {
  readonly announcement: Announcement
  readonly startedAt: Millis
  readonly parent: Guid | undefined
  readonly ids: readonly Guid[]
  readonly refs: readonly NodeRef[]
}

/** Our guess: so many dead nodes in one slot are found otherwise. */
const substitutesMax = 4

/** Multicasts open for the insertion of one node: a second attempt may overtake the first. Full: a further one is not taken on. */
const attemptsMax = 2
