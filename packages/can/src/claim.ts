import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { Zone } from './zone.ts'

/**
 * That a node owns a zone. Where claims overlap, the one that {@link outranks} the others counts, point by point; everybody else yields. That rule alone decides about splits, takeovers,
 * hand-overs and what comes together after a partition, so that live nodes' claims end up tiling the space whatever happened.
 */
export interface Claim {
  readonly zone: Zone
  /** Grows by one when the zone is given to another node, which then outranks the giver. */
  readonly version: number
  /** Taken over from a node that seemed dead: outranked by the same claim of that node, should it live. */
  readonly caretaker: boolean
}

/** Who owns what, as one node tells another. */
export interface Entry {
  readonly node: NodeRef
  readonly claims: readonly Claim[]
}

/** Most zones of one node. */
export const claimsMax = 64

/** The most a version can be. A claim at it can be outranked by a lesser id only. */
const versionMax = 2 ** 32 - 1

/** Whether `a`, claimed by the node `aId`, counts before `b`, claimed by `bId`. */
export function outranks(a: Claim, aId: Guid, b: Claim, bId: Guid): boolean {
  if (a.version !== b.version) return a.version > b.version
  if (a.caretaker !== b.caretaker) return b.caretaker
  return aId < bId
}

/** The version for whoever is given a zone next. */
export function nextVersion(version: number): number {
  return Math.min(versionMax, version + 1)
}
