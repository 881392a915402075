import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, RouteFailure } from '@plaxton/kbr'
import { emit } from './command.ts'
import type { Keeper } from './keeper.ts'
import type { DolrParts } from './parts.ts'
import { encodeBody, rootKey } from './records.ts'
import type { SignedRecord } from './records.ts'

/** An object that this node hosts. */
export interface Publication {
  readonly guid: Guid
  /** For the timer that republishes it. */
  readonly number: number
  /** Whether somebody here answers messages to it: what its claims say together. */
  answers: boolean
  /** Those of commands under way. Bound: `maxCommands`. */
  readonly claims: Set<Claim>
  /** What those that ended well have said together. While there is none, the publication ends with the last command that could not make it known. */
  confirmed: Claim | undefined
}

/** One command's wish that this node host an object. */
export interface Claim {
  readonly answers: boolean
}

/** What became of one way of a record. */
export type Announced = { readonly ok: true; readonly root: NodeRef } | { readonly ok: false; readonly failure: RouteFailure }

/** What this node hosts, and how others learn of it: signed records towards every root, again and again. */
export class Publications {
  private readonly parts: DolrParts
  private readonly keeper: Keeper
  /** Bound: `publicationsMax`; the command that would exceed it fails. */
  private readonly byGuid = new Map<Guid, Publication>()
  private readonly byNumber = new Map<number, Publication>()
  private lastNumber = 0
  /** No two records of this node have the same. */
  private lastSignedAt = 0
  private self: Guid | undefined = undefined

  constructor(parts: DolrParts, keeper: Keeper) {
    this.parts = parts
    this.keeper = keeper
  }

  get size(): number {
    return this.byGuid.size
  }

  get isFull(): boolean {
    return this.byGuid.size >= this.parts.config.publicationsMax
  }

  get(guid: Guid): Publication | undefined {
    return this.byGuid.get(guid)
  }

  all(): Publication[] {
    return [...this.byGuid.values()]
  }

  /** From now on this node hosts `guid`; {@link announce} makes it known, and {@link settle} says whether it could. */
  add(guid: Guid, claim: Claim, fx: AppEffects): Publication {
    const publication = this.byGuid.get(guid) ?? this.create(guid, fx)
    publication.claims.add(claim)
    publication.answers ||= claim.answers
    return publication
  }

  /** The command of this claim has ended. A failed one takes back its own claim and nobody else's. */
  settle(publication: Publication, claim: Claim, ok: boolean): void {
    const { claims, confirmed } = publication
    claims.delete(claim)
    if (ok) publication.confirmed = { answers: claim.answers || confirmed?.answers === true }
    publication.answers = publication.confirmed?.answers === true || [...claims].some(({ answers }) => answers)
    const isHeld = claims.size > 0 || publication.confirmed !== undefined
    if (!isHeld && this.byGuid.get(publication.guid) === publication) this.delete(publication.guid)
  }

  /** From now on it does not. Pointers elsewhere stay until they expire, or {@link announce} withdraws them. */
  delete(guid: Guid): void {
    const publication = this.byGuid.get(guid)
    if (publication === undefined) return
    this.byGuid.delete(guid)
    this.byNumber.delete(publication.number)
    const pointer = this.self === undefined ? undefined : this.parts.pointers.get(guid, this.self)
    if (pointer !== undefined) this.parts.pointers.expire(pointer)
  }

  /**
   * Signs a new record and sends it towards every root. `onSigned` gets it, or why there is none; `onRoot` is called once for each root.
   */
  announce(
    guid: Guid,
    withdrawn: boolean,
    withinMs: Millis,
    now: Millis,
    fx: AppEffects,
    onSigned: (problem: string | undefined, fx: AppEffects) => void,
    onRoot: (salt: number, announced: Announced, now: Millis, fx: AppEffects) => void,
  ): void {
    this.self = fx.self.id
    this.sign(guid, withdrawn, now, fx, (record, problem, time, effects) => {
      const isOutdated = this.byGuid.has(guid) === withdrawn
      onSigned(isOutdated ? `the object was ${withdrawn ? 'published' : 'unpublished'} meanwhile` : problem, effects)
      if (record === undefined || isOutdated) return
      this.keeper.keepOwn(record, time, effects)
      for (let salt = 0; salt < this.parts.config.roots; salt++) this.send(record, salt, withinMs, effects, onRoot)
    })
  }

  /** Says once more, to whoever may have kept a record of it, that this node does not host `guid`. */
  takeBack(guid: Guid, now: Millis, fx: AppEffects): void {
    this.announce(guid, true, this.parts.config.attemptMs, now, fx, noneSigned, noRoot)
  }

  /** The timer of a publication came due. */
  onTimer(number: number, now: Millis, fx: AppEffects): void {
    const publication = this.byNumber.get(number)
    if (publication === undefined) return
    this.republishLater(publication, fx)
    if (!fx.ready) return
    const { roots, attemptMs } = this.parts.config
    let [open, confirmed] = [roots, 0]
    this.announce(publication.guid, false, attemptMs, now, fx, noneSigned, (_, announced, __, effects) => {
      if (announced.ok) confirmed++
      if (--open === 0) emit(effects, { type: 'dolr:republished', guid: publication.guid, roots: confirmed, of: roots })
    })
  }

  private create(guid: Guid, fx: AppEffects): Publication {
    const publication: Publication = { guid, number: ++this.lastNumber, answers: false, claims: new Set(), confirmed: undefined }
    this.byGuid.set(guid, publication)
    this.byNumber.set(publication.number, publication)
    this.republishLater(publication, fx)
    return publication
  }

  private republishLater({ number }: Publication, fx: AppEffects): void {
    fx.startTimer('republish', number, this.parts.prng.jitter(this.parts.config.republishMs, 0.1))
  }

  private sign(
    guid: Guid,
    withdrawn: boolean,
    now: Millis,
    fx: AppEffects,
    then: (record: SignedRecord | undefined, problem: string | undefined, now: Millis, fx: AppEffects) => void,
  ): void {
    this.lastSignedAt = Math.max(now, this.lastSignedAt + 1)
    const unsigned = { guid, host: fx.self, signedAt: this.lastSignedAt, ttlMs: this.parts.config.ttlMs, withdrawn }
    const body = encodeBody(unsigned)
    this.parts.errands.ask({ kind: 'sign-as-node', message: body }, fx, (answer, time, effects) => {
      if (answer.kind === 'signed')
        then({ ...unsigned, body, publicKey: answer.publicKey, signature: answer.signature }, undefined, time, effects)
      else then(undefined, answer.kind === 'failed' ? answer.reason : 'there was no signature', time, effects)
    })
  }

  private send(
    record: SignedRecord,
    salt: number,
    withinMs: Millis,
    fx: AppEffects,
    onRoot: (salt: number, announced: Announced, now: Millis, fx: AppEffects) => void,
  ): void {
    const call = { type: 'publish', record, salt, distanceMs: 0, stepMs: 0, step: 0, push: false } as const
    this.parts.errands.route(rootKey(record.guid, salt), call, { replyWithinMs: withinMs }, fx, (answered, now, effects) => {
      if (!answered.ok) return onRoot(salt, answered, now, effects)
      const { message } = answered
      if (message.type === 'published') return onRoot(salt, { ok: true, root: message.root }, now, effects)
      if (message.type === 'refusal') this.overtake(message.signedAt, now)
      const detail = message.type === 'refusal' ? message.detail : `the root answered with ${message.type}`
      onRoot(salt, { ok: false, failure: { reason: 'rejected by application', detail, at: undefined } }, now, effects)
    })
  }

  /** Somebody has a newer record of this node: its clock was ahead before it started anew. The next record is newer still. */
  private overtake(signedAt: Millis, now: Millis): void {
    if (signedAt < now + this.parts.config.maxSkewMs) this.lastSignedAt = Math.max(this.lastSignedAt, signedAt)
  }
}

function noneSigned(): void {}
function noRoot(): void {}
