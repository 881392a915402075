import { guidFromBytes, guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { anyLive, claimOf, compareClaims, expiryOf, hasExpired, isLive, leadingCertificate, ownerOf, stampOf } from './claims.ts'
import type { Claim } from './claims.ts'
import type { PastCall, PastReply, Refusal, RefusalCode } from './messages.ts'
import { obtain } from './obtain.ts'
import { isCutShort, nodesAround, replicaSet } from './hosts.ts'
import { namesOf, quorumOf, widened } from './parts.ts'
import type { PastParts, Respond } from './parts.ts'
import { Replication } from './replication.ts'
import type { Replicated } from './replication.ts'
import { Survey } from './survey.ts'
import type { Findings } from './survey.ts'

type Put = PastCall & { readonly type: 'put' }
type Remove = PastCall & { readonly type: 'remove' }
type Inspect = PastCall & { readonly type: 'inspect' }

/**
 * What a node does as the root of a guid: it judges what is asked of the object, sees to its replicas, and answers.
 *
 * A root may have become so a moment ago and know nothing. Whenever its answer would be a no, it first asks the other members of
 * the replica set, and as many beyond, what they have.
 */
export class Root {
  private readonly parts: PastParts
  /** Named objects being put, with the digest of their bytes; one at a time each. Bounded by the node's work in progress. */
  private readonly putting = new Map<Guid, Guid>()

  constructor(parts: PastParts) {
    this.parts = parts
  }

  // --- put ----------------------------------------------------------------------------------------------------------

  onPut(put: Put, respond: Respond, now: Millis, fx: AppEffects): void {
    const { claim, data } = put
    const { guid, contentDigest, size } = claim.certificate
    const { shelf, notary } = this.parts
    const digest = guidOf(data)
    if (claim.withdrawal !== undefined) return respond(refusal('invalid', 'a withdrawn claim stores nothing'), now, fx)
    if (data.length !== size || digest !== contentDigest)
      return respond(refusal('invalid', 'the data are not those of the certificate'), now, fx)
    const known = shelf.get(guid)?.claims ?? []
    notary.check(guid, [claim], known, now, fx, (problem, time, effects) => {
      if (problem !== undefined) return respond(refusal('invalid', problem), time, effects)
      this.judgePut(put, respond, time, effects)
    })
  }

  /** A content object can only be what it is; what lives under a name may be something else, and be known to others only. */
  private judgePut(put: Put, respond: Respond, now: Millis, fx: AppEffects): void {
    const { claim } = put
    const { guid, kind, contentDigest, replicas } = claim.certificate
    const known = this.parts.shelf.get(guid)?.claims
    const objection = this.objectionTo(claim, known ?? [], now)
    if (objection !== undefined) return respond(objection, now, fx)
    if (kind === 'content') return this.replicatePut(put, respond, now, fx)

    const rival = this.putting.get(guid)
    if (rival !== undefined && rival !== contentDigest)
      return respond(refusal('exists', `other bytes are being put under ${shortGuid(guid)} just now`), now, fx)
    this.putting.set(guid, contentDigest)
    const respondOnce: Respond = (reply, time, effects) => {
      this.putting.delete(guid)
      respond(reply, time, effects)
    }
    if (anyLive(known ?? [], now)) return this.replicatePut(put, respondOnce, now, fx)
    new Survey(this.parts, guid, { firstHolder: false }, ({ claims }, time, effects) => {
      const late = this.objectionTo(claim, claims, time)
      if (late === undefined) this.replicatePut(put, respondOnce, time, effects)
      else respondOnce(late, time, effects)
    }).start(this.others(guid, replicas, fx), now, fx)
  }

  /** Why a claim cannot be accepted beside those known; undefined when it can. */
  private objectionTo(claim: Claim, known: readonly Claim[], now: Millis): Refusal | undefined {
    const { guid, contentDigest } = claim.certificate
    if (known.some((other) => isLive(other, now) && other.certificate.contentDigest !== contentDigest)) {
      return refusal('exists', `other bytes live under ${shortGuid(guid)}, put by the same owner`)
    }
    const own = claimOf(known, ownerOf(claim))
    if (own?.withdrawal !== undefined && compareClaims(own, claim) > 0) {
      return refusal('superseded', 'the owner removed the object later than this certificate was made', { stamp: stampOf(own) })
    }
    if (own === undefined && known.length >= this.parts.config.maxOwners) {
      return refusal('too many owners', `${shortGuid(guid)} has ${known.length} owners, and more are not recorded`)
    }
    return undefined
  }

  private replicatePut({ claim, data, quorum }: Put, respond: Respond, now: Millis, fx: AppEffects): void {
    const { guid, contentDigest, replicas } = claim.certificate
    const candidates = replicaSet(guid, widened(replicas), fx)
    const wanted = Math.min(replicas, candidates.length)
    const cutShort = wanted < replicas && isCutShort(guid, candidates, fx)
    // The quorum of a set cut short is that of the whole.
    const needed = quorumOf(quorum, cutShort ? replicas : wanted)
    if (cutShort && (wanted < needed || nodesAround(guid, replicas, fx).length < replicas))
      return respond(outOfReach(guid, candidates.length, replicas, needed), now, fx)
    const order = { guid, claims: [claim], data: { bytes: data, digest: contentDigest }, candidates, wanted, enough: needed, tries: 1 }
    new Replication(this.parts, order, (replicated, time, effects) => {
      if (replicated.holders.length >= needed) {
        return respond({ type: 'receipt', holders: replicated.holders, wanted: replicas, quorum: needed }, time, effects)
      }
      const objection = this.objectionTo(claim, this.trusted(guid, replicated.objections, time), time)
      respond(objection ?? missedQuorum(replicated, needed), time, effects)
    }).start(now, fx)
  }

  /** Of what replicas object, the part that obeys the rules. Signatures are left unchecked: the worst a liar gets is a refusal, which it could give anyway. */
  private trusted(guid: Guid, claims: readonly Claim[], now: Millis): readonly Claim[] {
    return claims.filter((claim) => this.parts.notary.ruleBroken(guid, [claim], now) === undefined)
  }

  // --- remove -------------------------------------------------------------------------------------------------------

  onRemove(guid: Guid, remove: Remove, respond: Respond, now: Millis, fx: AppEffects): void {
    const known = this.parts.shelf.get(guid)?.claims ?? []
    const owner = guidFromBytes(remove.ownerKey)
    const claim = claimOf(known, owner)
    if (claim !== undefined) return this.withdraw(guid, claim, remove, respond, now, fx)
    new Survey(this.parts, guid, { firstHolder: false }, ({ claims, silent }, time, effects) => {
      const found = claimOf(claims, owner)
      if (found !== undefined) this.withdraw(guid, found, remove, respond, time, effects)
      else if (anyLive(claims, time)) respond(refusal('not owner', `${shortGuid(guid)} belongs to somebody else`), time, effects)
      else respond(refusal('not found', absence(guid, silent), { transient: silent.length > 0 }), time, effects)
    }).start(this.others(guid, this.parts.config.maxReplicas, fx), now, fx)
  }

  private withdraw(guid: Guid, claim: Claim, { removed, signature }: Remove, respond: Respond, now: Millis, fx: AppEffects): void {
    // A repeated request finds its own removal, which is as good as done.
    if (claim.withdrawal !== undefined && claim.withdrawal.removed !== removed) {
      return respond(refusal('not found', `${shortGuid(guid)} has been removed already`), now, fx)
    }
    if (hasExpired(claim, now)) return respond(refusal('not found', `${shortGuid(guid)} has expired`), now, fx)
    if (removed < claim.certificate.created) {
      return respond(refusal('superseded', 'the removal is dated before the certificate', { stamp: claim.certificate.created }), now, fx)
    }
    const withdrawn: Claim = { ...claim, withdrawal: { removed, signature } }
    this.parts.notary.check(guid, [withdrawn], [], now, fx, (problem, time, effects) => {
      if (problem !== undefined) respond(refusal('invalid', problem), time, effects)
      else this.replicateRemoval(withdrawn, respond, time, effects)
    })
  }

  /**
   * Waits for all of the replica set to know durably, because whoever does not goes on answering; but a majority is enough to succeed.
   * The same goes for nodes beyond it, one of them the asker perhaps: where many have just joined, they hold copies that belong elsewhere now.
   */
  private replicateRemoval(claim: Claim, respond: Respond, now: Millis, fx: AppEffects): void {
    const { guid, replicas } = claim.certificate
    const reach = widened(this.parts.config.maxReplicas)
    const nodes = replicaSet(guid, Math.min(replicas, reach), fx)
    const wanted = nodes.length
    const needed = quorumOf('majority', wanted)
    const order = {
      guid,
      claims: [claim],
      data: undefined,
      candidates: nodes,
      wanted,
      enough: wanted,
      tries: removalTries,
    }
    const isBeyond = (node: NodeRef): boolean => !sameNode(node, fx.self) && !nodes.some((other) => sameNode(other, node))
    const beyond = nodesAround(guid, reach, fx).filter(isBeyond)
    let open = 1 + beyond.length
    let reply: PastReply | undefined
    const settle = (time: Millis, effects: AppEffects): void => {
      if (--open === 0 && reply !== undefined) respond(reply, time, effects)
    }
    new Replication(this.parts, order, (replicated, time, effects) => {
      const { holders } = replicated
      reply = holders.length < needed ? missedQuorum(replicated, needed) : { type: 'receipt', holders, wanted, quorum: needed }
      settle(time, effects)
    }).start(now, fx)
    const store = { type: 'store', guid, claims: [claim] } as const
    for (const node of beyond)
      this.parts.errands.request(node, store, this.parts.config.replicaMs, fx, (_, time, effects) => settle(time, effects))
  }

  // --- inspect and ensure -------------------------------------------------------------------------------------------

  onInspect(guid: Guid, { ensure, replicas }: Inspect, respond: Respond, now: Millis, fx: AppEffects): void {
    new Survey(this.parts, guid, { firstHolder: false }, (findings, time, effects) => {
      const leading = leadingCertificate(findings.claims, time)
      if (leading === undefined || !anyLive(findings.claims, time)) {
        return respond(absent(findings), time, effects)
      }
      const holders = this.parts.shelf.live(guid, time) === undefined ? findings.holders : [effects.self, ...findings.holders]
      if (ensure === 'no') return this.answerInspection(guid, findings.claims, holders, respond, time, effects)
      const count = Math.min(ensure === 'own' ? leading.replicas : replicas, this.parts.config.maxReplicas)
      this.fetchAndSpread(guid, findings, holders, count, respond, time, effects)
    }).start(this.others(guid, this.parts.config.maxReplicas, fx), now, fx)
  }

  private answerInspection(
    guid: Guid,
    claims: readonly Claim[],
    holders: readonly NodeRef[],
    respond: Respond,
    now: Millis,
    fx: AppEffects,
  ): void {
    const leading = leadingCertificate(claims, now)
    if (leading === undefined || holders.length === 0) return respond(absent({ holders, claims, silent: [] }), now, fx)
    const order = nodesAround(guid, widened(this.parts.config.maxReplicas), fx).map((node) => node.id)
    const sorted = [...holders].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id))
    respond({ type: 'inspection', size: leading.size, wanted: leading.replicas, holders: sorted, expires: expiryOf(claims, now) }, now, fx)
  }

  /** Gives a copy to each of the `count` closest that lacks one. */
  private fetchAndSpread(
    guid: Guid,
    findings: Findings,
    holders: readonly NodeRef[],
    count: number,
    respond: Respond,
    now: Millis,
    fx: AppEffects,
  ): void {
    const targets = replicaSet(guid, count, fx).filter((node) => !holders.some((holder) => sameNode(holder, node)))
    if (targets.length === 0) return this.answerInspection(guid, findings.claims, holders, respond, now, fx)
    const wanted = leadingCertificate(findings.claims, now) ?? { contentDigest: guid, size: this.parts.config.maxObjectBytes }
    obtain(this.parts, guid, wanted, holders, now, fx, (data, time, effects) => {
      const count = targets.length
      const order = { guid, claims: findings.claims, data, candidates: targets, wanted: count, enough: count, tries: 1 }
      new Replication(this.parts, order, (replicated, at, fxDone) => {
        this.answerInspection(guid, findings.claims, [...holders, ...replicated.holders], respond, at, fxDone)
      }).start(time, effects)
    })
  }

  /** The nodes that may hold the object, this one left out. */
  private others(guid: Guid, replicas: number, fx: AppEffects): NodeRef[] {
    return nodesAround(guid, widened(replicas), fx).filter((node) => !sameNode(node, fx.self))
  }
}

/** A removal has nobody to stand in for a silent node. */
const removalTries = 2

function absent({ claims, silent }: Findings): PastReply {
  return { type: 'absent', removed: claims.length > 0, silent: silent.length, certain: silent.length === 0 }
}

function absence(guid: Guid, silent: readonly NodeRef[]): string {
  const asked = `no node that answered has ${shortGuid(guid)}`
  return silent.length === 0 ? asked : `${asked}; ${namesOf(silent)} did not answer`
}

function missedQuorum({ holders, failures, transient }: Replicated, needed: number): Refusal {
  const detail = `stored on ${holders.length} of the ${needed} nodes needed (${failures.join('; ')})`
  return refusal('quorum', detail.slice(0, 1000), { stored: holders.length, needed, transient })
}

/** Transient, because after many failures a node sees less for a while. */
function outOfReach(guid: Guid, seen: number, replicas: number, needed: number): Refusal {
  const detail = `${replicas} replicas cannot be promised: there are more nodes, but the root sees only which ${seen} are closest to ${shortGuid(guid)}`
  return refusal('quorum', detail, { needed, transient: true })
}

function refusal(code: RefusalCode, detail: string, more: Partial<Refusal> = {}): Refusal {
  return { type: 'refusal', code, detail, stamp: 0, stored: 0, needed: 0, transient: false, ...more }
}
