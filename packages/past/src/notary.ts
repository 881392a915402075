import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis } from '@plaxton/kbr'
import { certificateBytes, isForgettable, namedGuid, ownerOf, removalBytes, sameClaim } from './claims.ts'
import type { Claim } from './claims.ts'
import type { PastConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'

/** Judges claims from elsewhere: first by the rules, then by their signatures, the dearest check last. */
export class Notary {
  private readonly config: PastConfig
  private readonly errands: Errands

  constructor(config: PastConfig, errands: Errands) {
    this.config = config
    this.errands = errands
  }

  /**
   * Checks that all `claims` are valid claims on `guid`. Those among `known`, which have been checked before, cost nothing. `then` gets
   * undefined, or what is wrong in one sentence; for claims that need no signature checked it runs within the call.
   */
  check(guid: Guid, claims: readonly Claim[], known: readonly Claim[], now: Millis, fx: AppEffects, then: Then<string | undefined>): void {
    const news = claims.filter((claim) => !known.some((other) => sameClaim(claim, other)))
    const problem = this.ruleBroken(guid, news, now)
    if (problem !== undefined || news.length === 0) return then(problem, now, fx)
    const signed = news.flatMap(signedParts)
    let open = signed.length
    let verdict: string | undefined
    for (const { message, signature, publicKey } of signed) {
      this.errands.ask({ kind: 'verify', publicKey, message, signature }, fx, (answer, time, effects) => {
        if (answer.kind === 'failed') verdict ??= `a signature could not be checked: ${answer.reason}`
        else if (answer.kind !== 'verified' || !answer.valid) verdict ??= `a claim on ${shortGuid(guid)} is not signed by its owner`
        if (--open === 0) then(verdict, time, effects)
      })
    }
  }

  /** The first rule that one of the claims breaks, in a sentence. Signatures are not looked at. */
  ruleBroken(guid: Guid, claims: readonly Claim[], now: Millis): string | undefined {
    if (new Set(claims.map(ownerOf)).size < claims.length) return 'two claims are by the same owner'
    for (const claim of claims) {
      const problem = this.claimProblem(guid, claim, now)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  private claimProblem(guid: Guid, claim: Claim, now: Millis): string | undefined {
    const { certificate, withdrawal } = claim
    const { maxObjectBytes, maxReplicas, maxSkewMs, tombstoneMs } = this.config
    const latest = now + maxSkewMs
    if (certificate.guid !== guid) return `a certificate is for ${shortGuid(certificate.guid)} and not for ${shortGuid(guid)}`
    if (!guidFollows(claim))
      return `${shortGuid(guid)} does not follow from the certificate's ${certificate.kind === 'named' ? 'name, owner and salt' : 'digest'}`
    if (certificate.size > maxObjectBytes) return `an object of ${certificate.size} bytes is larger than ${maxObjectBytes}`
    if (certificate.replicas < 1 || certificate.replicas > maxReplicas)
      return `${certificate.replicas} replicas are not 1 to ${maxReplicas}`
    if (certificate.created > latest) return `the certificate is dated ${certificate.created - now} ms ahead`
    if (withdrawal !== undefined && withdrawal.removed > latest) return `the removal is dated ${withdrawal.removed - now} ms ahead`
    if (withdrawal !== undefined && withdrawal.removed < certificate.created) return 'the removal is older than the certificate'
    if (isForgettable(claim, now, tombstoneMs)) return 'the claim has expired'
    return undefined
  }
}

function guidFollows({ certificate }: Claim): boolean {
  const { guid, kind, name, salt, ownerKey, contentDigest } = certificate
  if (kind === 'content') return contentDigest === guid && name === '' && salt.length === 0
  return name !== '' && namedGuid(name, ownerKey, salt) === guid
}

function signedParts({
  certificate,
  signature,
  withdrawal,
}: Claim): Array<{ message: Uint8Array; signature: Uint8Array; publicKey: Uint8Array }> {
  const publicKey = certificate.ownerKey
  const parts = [{ message: certificateBytes(certificate), signature, publicKey }]
  if (withdrawal !== undefined) {
    parts.push({ message: removalBytes(certificate.guid, publicKey, withdrawal.removed), signature: withdrawal.signature, publicKey })
  }
  return parts
}
