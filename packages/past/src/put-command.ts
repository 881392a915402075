import { shortGuid } from '@plaxton/guid'
import { AlreadyExistsError, InvalidValueError, NotReadyError, QuorumError, sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef, PutReceipt, WriteQuorum } from '@plaxton/kbr'
import { certificateBytes, namedGuid } from './claims.ts'
import type { Certificate, Claim } from './claims.ts'
import { RootCommand, refused, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import type { PastMessage, PastCall, Refusal } from './messages.ts'
import { signing } from './owner.ts'
import type { Owner } from './owner.ts'
import { namesOf } from './parts.ts'
import type { PastParts, Respond } from './parts.ts'

/** What to put, checked already. */
export interface PutOrder {
  readonly data: Uint8Array
  /** SHA-256 of the data. */
  readonly contentDigest: Certificate['contentDigest']
  readonly replicas: number
  readonly quorum: WriteQuorum
  /** 0: never. */
  readonly expires: Millis
  /** Empty for a content object. */
  readonly name: string
  readonly salt: Uint8Array
  /** Whose object it is to be: another of this node's keys, by name; undefined: its own. */
  readonly signer: string | undefined
}

type Put = PastCall & { readonly type: 'put' }

/**
 * Signs a certificate and hands it with the data to the root, which answers once enough replicas are durable. Small data are
 * routed; for large ones the root is located first, and gets them directly.
 */
export class PutCommand extends RootCommand {
  protected readonly verb = 'put'
  private readonly order: PutOrder
  private readonly owner: Owner
  private readonly putHere: (put: Put, respond: Respond, now: Millis, fx: AppEffects) => void
  private claim: Claim | undefined = undefined

  constructor(
    parts: PastParts,
    init: CommandInit,
    order: PutOrder,
    owner: Owner,
    putHere: (put: Put, respond: Respond, now: Millis, fx: AppEffects) => void,
  ) {
    super(parts, init)
    this.order = order
    this.owner = owner
    this.putHere = putHere
  }

  run(now: Millis, fx: AppEffects): void {
    this.sign(now, now, fx)
  }

  private sign(created: Millis, now: Millis, fx: AppEffects): void {
    this.progress('signing', 'signing the certificate', fx)
    this.owner.withKey(this.order.signer, now, fx, (ownerKey, time, effects) => {
      if (this.ended) return
      if (ownerKey === undefined) return this.fail(new NotReadyError('this node has no key to sign with'), effects)
      const { contentDigest, data, replicas, expires, name, salt } = this.order
      if (name !== '' && namedGuid(name, ownerKey, salt) !== this.guid) {
        return this.fail(new InvalidValueError('guid', this.guid, "namedGuid of the name, this node's key and the salt"), effects)
      }
      const kind = name === '' ? 'content' : 'named'
      const certificate: Certificate = {
        guid: this.guid,
        kind,
        name,
        salt,
        ownerKey,
        contentDigest,
        size: data.length,
        replicas,
        created,
        expires,
      }
      this.parts.errands.ask(signing(certificateBytes(certificate), this.order.signer), effects, (answer, at, fxSigned) => {
        if (this.ended) return
        if (answer.kind !== 'signed') return this.fail(new NotReadyError('the certificate could not be signed'), fxSigned)
        this.claim = { certificate, signature: answer.signature }
        this.attempt(at, fxSigned)
      })
    })
  }

  protected attempt(now: Millis, fx: AppEffects): void {
    const { claim } = this
    if (claim === undefined) return
    const { data, quorum } = this.order
    if (data.length > this.parts.config.smallBytes) {
      this.progress('locating', `looking for the root of ${shortGuid(this.guid)}`, fx)
      return this.askRoot({ type: 'where', replicas: 0 }, now, fx)
    }
    this.progress('sending', `sending ${data.length} bytes towards the root of ${shortGuid(this.guid)}`, fx)
    this.askRoot({ type: 'put', claim, data, quorum }, now, fx)
  }

  protected onMessage(message: PastMessage, now: Millis, fx: AppEffects): void {
    switch (message.type) {
      case 'here':
        return this.sendTo(message.node, now, fx)
      case 'receipt':
        this.progress('stored', `durable on ${namesOf(message.holders)}`, fx)
        return this.succeed(this.receipt(message.holders, message.wanted, message.quorum), fx)
      case 'refusal':
        return this.onRefusal(message, now, fx)
      default:
        return this.onStrange(message, fx)
    }
  }

  private sendTo(root: NodeRef, now: Millis, fx: AppEffects): void {
    const { claim } = this
    if (claim === undefined) return
    const { data, quorum } = this.order
    const put = { type: 'put', claim, data, quorum } as const
    this.progress('sending', `sending ${data.length} bytes to ${namesOf([root])}`, fx)
    if (sameNode(root, fx.self)) {
      this.putHere(
        put,
        (reply, time, effects) => this.onAnswered({ ok: true, message: reply, hops: 0, elapsedMs: 0 }, time, effects),
        now,
        fx,
      )
      return
    }
    // Here to the root, and from there to every replica.
    const attemptMs = this.attemptMs(now, data.length * (1 + this.order.replicas))
    this.parts.errands.request(root, put, attemptMs, fx, (answered, time, effects) => this.onAnswered(answered, time, effects))
  }

  private onRefusal(refusal: Refusal, now: Millis, fx: AppEffects): void {
    switch (refusal.code) {
      case 'exists':
        return this.fail(new AlreadyExistsError(refusal.detail), fx)
      case 'superseded': {
        // The owner removed it in what this clock calls the future, or in this very millisecond: this put is later all the same.
        if (refusal.stamp >= now + this.parts.config.maxSkewMs) return this.fail(rejected(refusal.detail), fx)
        return this.sign(refusal.stamp + 1, now, fx)
      }
      case 'quorum': {
        const error = new QuorumError(refusal.stored, refusal.needed, refusal.detail)
        return refusal.transient ? this.again(error, fx) : this.fail(error, fx)
      }
      case 'overloaded':
        return this.again(refused(refusal), fx)
      default:
        return this.fail(refused(refusal), fx)
    }
  }

  private receipt(holders: readonly NodeRef[], wanted: number, quorum: number): PutReceipt {
    const { data, expires } = this.order
    return { guid: this.guid, size: data.length, holders, wanted, quorum, expires: expires === 0 ? undefined : expires }
  }
}
