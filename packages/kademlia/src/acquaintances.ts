import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import type { Inquiries } from './inquiries.ts'
import { Introductions } from './introductions.ts'
import { refsMax, send } from './messages.ts'
import type { FindNode, Pong } from './messages.ts'
import type { KademliaState } from './state.ts'

/**
 * How nodes come into the tables: by what they say of themselves in answer to a question of this node. What others say of them is a reason to ask, and so is what they say unasked
 * ({@link Introductions}).
 */
export class Acquaintances {
  private readonly state: KademliaState
  private readonly probing: Probing
  private readonly inquiries: Inquiries
  private readonly lose: (ref: NodeRef, now: Millis, fx: OverlayEffects) => void
  private readonly introductions: Introductions
  /**
   * Who sent the last message, when it could be a contact. Overlay messages say whether their sender is a member; of one that only the walking has heard from, that is asked when
   * the next message comes.
   */
  private stranger: NodeRef | undefined = undefined
  /** When this node last asked somebody who had asked it. */
  private askedBackAt: Millis = -Infinity

  /** `lose` takes a node that is gone out of everything. */
  constructor(state: KademliaState, probing: Probing, inquiries: Inquiries, lose: (ref: NodeRef, now: Millis, fx: OverlayEffects) => void) {
    this.state = state
    this.probing = probing
    this.inquiries = inquiries
    this.lose = lose
    this.introductions = new Introductions(state)
  }

  /** Anything arrived from `from`. */
  heard(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { state, probing } = this
    const isContact = state.buckets.touch(from.id, now)
    const isAnswer = probing.has(from.id)
    if (probing.size > 0) probing.heard(from, now, fx)
    if (state.failed.size > 0 && state.failed.has(from.id) && !state.failed.refuses(from)) {
      // It was cut off, not dead; and those around it perhaps with it.
      state.failed.forget(from.id)
      if (state.counts) this.inquiries.ask(from, fx)
    }
    if (this.stranger !== undefined) this.introductions.ask(this.stranger, undefined, now, fx)
    this.stranger = !isContact && !isAnswer && this.couldBeContact(from) ? from : undefined
  }

  /** It was an overlay message. */
  spoke(): void {
    this.stranger = undefined
  }

  /**
   * What a peer says of itself unasked. Of a stranger that says it is a member that is a reason to ask it; one that is none, when it had been, is asked again, for it may have said so before it
   * became one. True when `claim`, the stranger's question for its own id, is to be answered later.
   */
  meet(from: NodeRef, isMember: boolean, now: Millis, fx: OverlayEffects, claim?: FindNode): boolean {
    const { state } = this
    const known = state.find(from.id)
    if (known?.epoch === from.epoch) {
      if (isMember) state.admit(from, now, fx)
      else this.probing.start(known, false, now, fx)
      return false
    }
    if (known !== undefined && from.epoch < known.epoch) return false
    if (known !== undefined) this.lose(known, now, fx)
    return isMember && state.counts && !state.failed.refuses(from) && this.introduce(from, claim, now, fx)
  }

  /** The same in answer to a question of this node: it counts. False when it is no member any more, and is out of the tables. */
  meetAnswer(from: NodeRef, isMember: boolean, now: Millis, fx: OverlayEffects): boolean {
    const { state } = this
    const known = state.find(from.id)
    if (!isMember) {
      if (known === undefined || known.epoch > from.epoch) return true
      this.lose(known, now, fx)
      return false
    }
    state.admit(from, now, fx)
    if (known === undefined) this.challengeHead(from, now, fx)
    const claim = this.introductions.end(from)
    if (claim !== undefined && state.counts) this.answer(from, claim, now, fx)
    return true
  }

  onPong(from: NodeRef, pong: Pong, now: Millis, fx: OverlayEffects): void {
    const introduced = this.introductions.answered(from, pong, now)
    const probedMs = this.probing.roundTrip(pong.seq, now)
    if (introduced === undefined && probedMs === undefined) return void this.meet(from, pong.member, now, fx)
    if (!this.meetAnswer(from, pong.member, now, fx)) return
    const rttMs = probedMs ?? introduced?.rttMs
    if (rttMs !== undefined) this.state.noteRoundTrip(from.id, rttMs, fx)
  }

  /** Answers at once, unless a stranger claims a place among the siblings: then after it has answered a ping. */
  onFindNode(from: NodeRef, question: FindNode, now: Millis, fx: OverlayEffects): void {
    const isLater = this.meet(from, question.member, now, fx, question.key === from.id ? question : undefined)
    if (!isLater) this.answer(from, question, now, fx)
  }

  /** Hearsay. Who may be a sibling is asked until it answers; a few others are pinged while their buckets have room. */
  learn(refs: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state } = this
    let strangers = 0
    for (const ref of state.credible(refs, now)) {
      const known = state.find(ref.id)
      if (state.siblings.wants(ref.id) || (known !== undefined && known.epoch < ref.epoch)) {
        this.inquiries.broughtNews = true
        this.inquiries.ask(ref, fx)
      } else if (known === undefined) {
        state.siblings.noteOutside(ref.id)
        if (state.counts && state.buckets.hasRoomFor(ref.id) && strangers++ < state.config.hearsayMax)
          this.probing.start(ref, false, now, fx)
      }
    }
  }

  forget(id: Guid): void {
    this.introductions.forget(id)
  }

  clear(): void {
    this.introductions.clear()
  }

  /** Names those closest to the key that the asker does not know; and who of its siblings, if it asks for its own id, is dead. */
  private answer(from: NodeRef, question: FindNode, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const known = new Set(question.known)
    const refs = state.closest(question.key, Math.min(question.count, refsMax)).filter(({ id }) => id !== from.id && !known.has(id))
    const isSibling = question.member && question.key === from.id
    const gone = isSibling && state.failed.size > 0 ? question.known.filter((id) => state.failed.has(id)) : []
    send(from, { type: 'nodes', seq: question.seq, refs, gone, ...state.status }, fx)
    if (isSibling && state.counts) this.askBack(from, question.known, now, fx)
  }

  /** It knows somebody this node ought to know. Not at once again: two that both miss somebody would ask each other without end. */
  private askBack(from: NodeRef, known: readonly Guid[], now: Millis, fx: OverlayEffects): void {
    if (now - this.askedBackAt < this.state.config.exchangeSoonMs || !known.some((id) => this.lacks(id))) return
    this.askedBackAt = now
    this.inquiries.ask(from, fx)
  }

  /** Whether it is a node that this one ought to know and is not being asked already. */
  private lacks(id: Guid): boolean {
    const { self, siblings, failed } = this.state
    return id.length === self.id.length && siblings.wants(id) && !failed.has(id) && !this.inquiries.has(id)
  }

  private couldBeContact(stranger: NodeRef): boolean {
    const { state } = this
    return state.counts && stranger.id !== state.self.id && state.buckets.hasRoomFor(stranger.id) && !state.failed.refuses(stranger)
  }

  /** Where there may be a place for it, it is asked. Else it waits for one, and is pinged when there is. True when its `claim` waits for its answer. */
  private introduce(stranger: NodeRef, claim: FindNode | undefined, now: Millis, fx: OverlayEffects): boolean {
    const { siblings, buckets } = this.state
    const isSibling = siblings.wants(stranger.id)
    if (isSibling || buckets.hasRoomFor(stranger.id)) {
      this.introductions.ask(stranger, isSibling ? claim : undefined, now, fx)
      return isSibling && claim !== undefined
    }
    siblings.noteOutside(stranger.id)
    buckets.offer(stranger, now)
    this.challengeHead(stranger, now, fx)
    return false
  }

  /** A newcomer waits for a place: the contact seen least recently keeps its own if it lives. */
  private challengeHead(from: NodeRef, now: Millis, fx: OverlayEffects): void {
    const { buckets, config } = this.state
    const head = buckets.at(buckets.levelOf(from.id))?.contacts[0]
    if (head === undefined || buckets.hasRoomFor(from.id) || now - head.seenAt < config.probeTimeoutMs) return
    this.probing.start(head.ref, false, now, fx)
  }
}
