import { shortGuid } from '@plaxton/guid'
import { NotOwnerError, NotReadyError, QuorumError } from '@plaxton/kbr'
import type { AppEffects, Millis } from '@plaxton/kbr'
import { removalBytes } from './claims.ts'
import { RootCommand, refused, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import type { PastCall, PastMessage, Refusal } from './messages.ts'
import { signing } from './owner.ts'
import type { Owner } from './owner.ts'
import { namesOf } from './parts.ts'
import type { PastParts } from './parts.ts'

/** Signs a removal and has the root spread it. */
export class RemoveCommand extends RootCommand {
  protected readonly verb = 'remove'
  private readonly owner: Owner
  private readonly signer: string | undefined
  private call: PastCall | undefined = undefined

  constructor(parts: PastParts, init: CommandInit, owner: Owner, signer: string | undefined) {
    super(parts, init)
    this.owner = owner
    this.signer = signer
  }

  run(now: Millis, fx: AppEffects): void {
    this.sign(now, now, fx)
  }

  private sign(removed: Millis, now: Millis, fx: AppEffects): void {
    this.progress('signing', 'signing the removal', fx)
    this.owner.withKey(this.signer, now, fx, (ownerKey, _, effects) => {
      if (this.ended) return
      if (ownerKey === undefined) return this.fail(new NotReadyError('this node has no key to sign with'), effects)
      this.parts.errands.ask(signing(removalBytes(this.guid, ownerKey, removed), this.signer), effects, (answer, time, fxSigned) => {
        if (this.ended) return
        if (answer.kind !== 'signed') return this.fail(new NotReadyError('the removal could not be signed'), fxSigned)
        this.call = { type: 'remove', ownerKey, removed, signature: answer.signature }
        this.attempt(time, fxSigned)
      })
    })
  }

  protected attempt(now: Millis, fx: AppEffects): void {
    if (this.call === undefined) return
    this.progress('sending', `sending the removal towards the root of ${shortGuid(this.guid)}`, fx)
    this.askRoot(this.call, now, fx)
  }

  protected onMessage(message: PastMessage, now: Millis, fx: AppEffects): void {
    if (message.type === 'refusal') return this.onRefusal(message, now, fx)
    if (message.type !== 'receipt') return this.onStrange(message, fx)
    this.progress('stored', `the removal is durable on ${namesOf(message.holders)}`, fx)
    this.succeed({ guid: this.guid, holders: message.holders }, fx)
  }

  private onRefusal(refusal: Refusal, now: Millis, fx: AppEffects): void {
    switch (refusal.code) {
      case 'not owner':
        return this.fail(new NotOwnerError(refusal.detail), fx)
      case 'not found':
        return this.onAbsent(refusal.detail, !refusal.transient, fx)
      case 'superseded':
        // The certificate was made by a clock ahead of this one: the removal is later all the same.
        if (refusal.stamp > now + this.parts.config.maxSkewMs) return this.fail(rejected(refusal.detail), fx)
        return this.sign(refusal.stamp, now, fx)
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
}

/** Has the root count the live copies, after making more if so asked. */
export class InspectCommand extends RootCommand {
  protected readonly verb: string
  private readonly call: PastCall & { readonly type: 'inspect' }

  constructor(parts: PastParts, init: CommandInit, call: PastCall & { readonly type: 'inspect' }) {
    super(parts, init)
    this.call = call
    this.verb = call.ensure === 'no' ? 'inspect' : 'ensure'
  }

  run(now: Millis, fx: AppEffects): void {
    this.attempt(now, fx)
  }

  protected attempt(now: Millis, fx: AppEffects): void {
    this.progress('locating', `asking the root of ${shortGuid(this.guid)} for its replicas`, fx)
    this.askRoot(this.call, now, fx)
  }

  protected onMessage(message: PastMessage, _now: Millis, fx: AppEffects): void {
    if (message.type === 'inspection') {
      const { size, wanted, holders, expires } = message
      this.progress('found', `live on ${namesOf(holders)}`, fx)
      return this.succeed({ guid: this.guid, size, wanted, holders, expires: expires === 0 ? undefined : expires }, fx)
    }
    if (message.type === 'absent') return this.onAbsent(absence(this.guid, message.removed, message.silent), message.certain, fx)
    this.onStrange(message, fx)
  }
}

/** Why nothing was found, in a sentence. */
export function absence(guid: string, removed: boolean, silent: number): string {
  const what = removed ? `${guid.slice(0, 8)} has been removed` : `no replica of ${guid.slice(0, 8)} was found`
  return silent === 0 ? what : `${what}; ${silent} of the nodes asked did not answer`
}
