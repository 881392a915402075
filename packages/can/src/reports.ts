import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from '@plaxton/upkeep'
import { outranks } from './claim.ts'
import type { Claim } from './claim.ts'
import { Versions, wholeOf } from './differences.ts'
import type { Grants } from './grants.ts'
import { send } from './messages.ts'
import type { Beat, Heard, Report } from './messages.ts'
import type { CanState, Contact } from './state.ts'
import { overlap } from './zone.ts'
import type { Zone } from './zone.ts'

/** What a report has done. */
export interface ReportOutcome {
  /** Own zones that were given up to the sender. */
  readonly yielded: boolean
  /** The sender has let go of what it gave to this node. */
  readonly released: boolean
}

/**
 * The exchange of reports, the paper's periodic update: who I am, what I own, whom I know. Reports go out when something changes; in between, beats with digests tell whether everybody
 * has the last ones.
 *
 * Nobody becomes a contact, and nobody takes anything away from this node, on a message that it may not have sent: it has to repeat a token first.
 */
export class Reports {
  private readonly state: CanState
  private readonly probing: Probing
  private readonly grants: Grants
  /** Tokens that await their answers. Bound: `probesMax` and as many as there are contacts. Full: the first goes. */
  private readonly tokens = new Map<Guid, Token>()
  private readonly versions = new Versions()

  constructor(state: CanState, probing: Probing, grants: Grants) {
    this.state = state
    this.probing = probing
    this.grants = grants
  }

  /** Asks a node for its report. */
  greet(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    const before = this.tokens.get(ref.id)
    if (ref.id === this.state.self.id || (before !== undefined && now - before.askedAt < askPauseMs)) return
    this.tell(ref, 0, this.tokenFor(ref, now), now, fx)
    // Whoever is needed and does not answer is found to be dead.
    if (!this.state.contacts.has(ref.id)) this.probing.start(ref, false, now, fx)
  }

  /** The same at once, even if that node was asked a moment ago: it may have taken over the same as this one. */
  challenge(ref: NodeRef, now: Millis, fx: OverlayEffects): void {
    this.tell(ref, 0, this.tokenFor(ref, now), now, fx)
  }

  /** Everybody hears at once what this node owns, also those that are no contacts any more because of it. */
  announce(now: Millis, fx: OverlayEffects): void {
    for (const contact of this.state.contacts.values()) this.tell(contact.ref, 0, 0, now, fx)
  }

  /** Tells those who have not heard the last. */
  announceNews(now: Millis, fx: OverlayEffects): void {
    const { digest } = this.state.surroundings
    for (const contact of this.state.contacts.values()) if (contact.told !== digest) this.tell(contact.ref, 0, 0, now, fx)
  }

  /** A sign of life for those that watch this node and, now and then, for all; what somebody has not confirmed it is told once more. */
  beat(now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { digest, others } = state.surroundings
    const watchers = new Set(others.slice(0, state.config.watchers).map(({ node }) => node.id))
    for (const contact of state.contacts.values()) {
      const { ref, digest: known } = contact
      if (contact.confirmed !== digest && now - contact.toldAt >= askPauseMs) this.tell(ref, 0, 0, now, fx)
      else if (watchers.has(ref.id) || now - contact.beatAt >= state.config.digestMs) {
        contact.beatAt = now
        send(ref, { type: 'beat', digest, known }, fx)
      }
    }
  }

  onHeard(from: NodeRef, { digest }: Heard): Contact | undefined {
    const contact = this.state.contacts.get(from.id)
    if (contact === undefined || contact.ref.epoch !== from.epoch) return undefined
    contact.confirmed = digest
    return contact
  }

  onBeat(from: NodeRef, beat: Beat, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    if (!state.counts || state.failed.refuses(from)) return
    const contact = state.contacts.get(from.id)
    if (contact === undefined || contact.digest !== beat.digest || contact.ref.epoch !== from.epoch) this.greet(from, now, fx)
    else if (beat.known !== state.surroundings.digest) this.tell(from, 0, 0, now, fx)
  }

  /** Undefined when the report counts for nothing, because its sender has to prove itself first or owns nothing. */
  onReport(from: NodeRef, received: Report, now: Millis, fx: OverlayEffects): ReportOutcome | undefined {
    const { state } = this
    const report = wholeOf(received, state.contacts.get(from.id))
    if (report === undefined) {
      // A difference to something else than this node has of it.
      if (state.counts && received.member) this.greet(from, now, fx)
      return undefined
    }
    const sent = this.tokens.get(from.id)
    const answers = report.echo !== 0 && sent?.token === report.echo
    if (answers) this.answered(from, sent, now)
    if (!state.counts) {
      if (report.token !== 0) this.tell(from, report.token, 0, now, fx)
      return undefined
    }
    const contact = state.contacts.get(from.id)
    const granted = this.grants.expected(from.id, report.claims)
    if (contact === undefined && !answers && granted === undefined) {
      this.answer(from, report, report.member, now, fx)
      return undefined
    }
    const conflicts = this.conflicts(from, report.claims)
    const due = conflicts.lost.filter((zone) => answers || (granted !== undefined && zone.startsWith(granted)))
    const yielded = this.yieldTo(due, fx)
    if (granted !== undefined) this.grants.claimed(from.id)
    this.take(from, report, contact, now, fx)
    const isUndisputed = report.claims.every(({ zone }) => state.territory.overlapping(zone).length === 0)
    const released = isUndisputed && state.territory.release(from.id)
    if (yielded || released) state.territoryChanged(fx)
    // What it takes for its own and is not: it has to hear of the better claim.
    const mustHear = conflicts.won || yielded
    this.answer(from, report, due.length < conflicts.lost.length, now, fx, mustHear)
    const taken = state.contacts.get(from.id)
    if (taken !== undefined && isUndisputed && !this.isOutdone(from, report.claims)) send(from, { type: 'heard', digest: taken.digest }, fx)
    return { yielded, released }
  }

  /** What was asked once tells how far its answerer is, without a ping. */
  private answered(from: NodeRef, { madeAt, askedAt }: Token, now: Millis): void {
    this.tokens.delete(from.id)
    if (madeAt === askedAt) this.state.proximity.sample(from.id, now - askedAt)
  }

  /** One report in return, if any is due. */
  private answer(from: NodeRef, report: Report, mustProve: boolean, now: Millis, fx: OverlayEffects, mustHear = false): void {
    const before = this.tokens.get(from.id)
    const asks = mustProve && (before === undefined || now - before.askedAt >= askPauseMs)
    const contact = this.state.contacts.get(from.id)
    const tells = mustHear && (contact?.told !== this.state.surroundings.digest || now - contact.toldAt >= askPauseMs)
    if (report.token === 0 && !asks && !tells) return
    this.tell(from, report.token, asks ? this.tokenFor(from, now) : 0, now, fx)
  }

  private take(from: NodeRef, report: Report, contact: Contact | undefined, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const isNew = contact === undefined
    if (isNew && !state.wants(report.claims) && !state.isWantedBy(report)) return
    if (!state.put(from, report, now, fx) || !isNew) return
    state.failed.forget(from.id)
    state.history.forget(from)
  }

  /** Own claims that the sender's outrank, as the zones to be given up; and whether own claims outrank some of its. */
  private conflicts(from: NodeRef, claims: readonly Claim[]): { lost: Zone[]; won: boolean } {
    const { territory, self } = this.state
    const lost: Zone[] = []
    let won = false
    for (const own of territory.holdings) {
      for (const claim of claims) {
        if (!overlap(own.zone, claim.zone)) continue
        if (outranks(claim, from.id, own, self.id)) lost.push(claim.zone.length > own.zone.length ? claim.zone : own.zone)
        else won = true
      }
    }
    return { lost, won }
  }

  private yieldTo(zones: readonly Zone[], fx: OverlayEffects): boolean {
    if (zones.length === 0) return false
    for (const zone of zones) this.state.territory.yield(zone)
    this.state.territoryChanged(fx)
    return true
  }

  /** Whether the sender has taken something over that was given to somebody since, and has yet to hear of it. */
  private isOutdone(from: NodeRef, claims: readonly Claim[]): boolean {
    const taken = claims.filter(({ caretaker }) => caretaker)
    if (taken.length === 0) return false
    for (const contact of this.state.contacts.values()) {
      if (contact.ref.id === from.id) continue
      if (contact.claims.some(({ zone, version }) => taken.some((claim) => version > claim.version && overlap(zone, claim.zone))))
        return true
    }
    return false
  }

  private tell(to: NodeRef, echo: number, token: number, now: Millis, fx: OverlayEffects): void {
    const { state } = this
    const { claims, groups, shared, digest } = state.surroundings
    const contact = state.contacts.get(to.id)
    const member = state.counts
    // Only who has nothing else on its way to it knows what it is a difference to.
    const isSure = contact !== undefined && contact.told === contact.confirmed && member && echo === 0 && token === 0
    const difference = this.versions.since(isSure ? contact.confirmed : 0, state.surroundings)
    if (contact !== undefined) {
      contact.told = digest
      contact.toldAt = now
    }
    send(to, { type: 'report', claims, groups, shared, ...difference, digest, member, token, echo }, fx)
  }

  /** The same until it is answered: an answer to the first may still be on its way. */
  private tokenFor(ref: NodeRef, now: Millis): number {
    const { tokens, state } = this
    const before = tokens.get(ref.id)
    const token =
      before !== undefined && now - before.madeAt < tokenMs
        ? { ...before, askedAt: now }
        : { token: state.nextSeq(), madeAt: now, askedAt: now }
    tokens.delete(ref.id)
    if (tokens.size >= state.config.probesMax + state.contacts.size) {
      for (const first of tokens.keys()) {
        tokens.delete(first)
        break
      }
    }
    tokens.set(ref.id, token)
    return token.token
  }
}

interface Token {
  readonly token: number
  readonly madeAt: Millis
  readonly askedAt: Millis
}

/** Our guesses: a node is asked once in the time of a slow round trip, and its answer may take as long as the slowest of all. */
const askPauseMs = 1_000
const tokenMs = 30_000
