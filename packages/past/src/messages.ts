import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { Claim } from './claims.ts'

/**
 * What one PAST node asks another. *Routed* messages go towards the root of the guid they are about, which is their key; *direct* ones go
 * to a node known by reference. Every call but `cache` has exactly one reply, or fails.
 */
export type PastCall =
  /** Routed or direct to the root: store this and see to the other replicas. → `receipt` | `refusal` */
  | { readonly type: 'put'; readonly claim: Claim; readonly data: Uint8Array; readonly quorum: 'majority' | 'all' }
  /** Routed: who is the root, and which `replicas` nodes are the closest? → `here` */
  | { readonly type: 'where'; readonly replicas: number }
  /** Routed; the first node that holds the object answers, none of `excluded` does. In a `hurry`: see `Lookup`. → `object` | `absent` */
  | { readonly type: 'get'; readonly want: 'data' | 'presence'; readonly excluded: readonly Guid[]; readonly hurry: boolean }
  /** Routed: withdraw this owner's claim. → `receipt` | `refusal` */
  | { readonly type: 'remove'; readonly ownerKey: Uint8Array; readonly removed: Millis; readonly signature: Uint8Array }
  /** Routed: who holds it? `own`: first see to as many copies as its certificate wants; `given`: to `replicas` copies. → `inspection` | `absent` */
  | { readonly type: 'inspect'; readonly ensure: 'no' | 'own' | 'given'; readonly replicas: number }
  /** Direct, root to replica: merge these claims, keep the data. → `stored` */
  | { readonly type: 'store'; readonly guid: Guid; readonly claims: readonly Claim[]; readonly data?: Uint8Array | undefined }
  /** Direct: what do you have? → `object` | `absent` */
  | { readonly type: 'fetch'; readonly guid: Guid; readonly withData: boolean }
  /** Direct, without a reply, to a node that passed a `get` on: keep a copy for so long. See `Cache`. */
  | { readonly type: 'cache'; readonly guid: Guid; readonly forMs: Millis; readonly data: Uint8Array }
  /** Direct, between neighbours: the XOR and the count of the versions of all records that both are responsible for. → `buckets` */
  | { readonly type: 'compare'; readonly digest: number; readonly count: number }
  /** Direct: the records behind digests that differ, and records offered to be taken over. → `exchanged` */
  | {
      readonly type: 'exchange'
      readonly pages: readonly Page[]
      readonly offers: readonly Entry[]
      /** Nodes about to leave, the sender perhaps among them: count replicas as if they were gone. */
      readonly without: readonly Guid[]
    }

export type PastReply =
  /** The object is durable on `holders`. */
  | { readonly type: 'receipt'; readonly holders: readonly NodeRef[]; readonly wanted: number; readonly quorum: number }
  | Refusal
  | { readonly type: 'here'; readonly node: NodeRef; readonly replicaSet: readonly NodeRef[] }
  /**
   * What `holder` has: claims unless the guid says it all, data when they were asked for and may come this way. Not `settled`: the holder
   * has just started and may have missed a removal.
   */
  | {
      readonly type: 'object'
      readonly holder: NodeRef
      readonly claims: readonly Claim[]
      readonly settled: boolean
      readonly data?: Uint8Array | undefined
    }
  /**
   * Not here, or on none of those that were asked and answered; `silent` did not. `removed`: an owner withdrew it. `certain`: the root
   * says so, and everybody has answered.
   */
  | { readonly type: 'absent'; readonly removed: boolean; readonly silent: number; readonly certain: boolean }
  | {
      readonly type: 'inspection'
      readonly size: number
      readonly wanted: number
      readonly holders: readonly NodeRef[]
      /** 0: never. */
      readonly expires: Millis
    }
  /** `claims` is what the replica has now. */
  | {
      readonly type: 'stored'
      readonly outcome: 'kept' | 'needs data' | 'refused'
      readonly detail: string
      readonly claims: readonly Claim[]
    }
  /** The XOR of versions in each of {@link bucketCount} buckets; none when the two nodes agree. */
  | { readonly type: 'buckets'; readonly digests: readonly number[] }
  /**
   * Records the answering node has and the asking one lacks or has otherwise, and those offered that it holds as offered and will keep.
   * `leaving`: it keeps nothing, because it is about to leave itself.
   */
  | { readonly type: 'exchanged'; readonly entries: readonly Entry[]; readonly held: readonly Guid[]; readonly leaving: boolean }

export type PastMessage = PastCall | PastReply

/** Why a root did not do as it was asked. */
export interface Refusal {
  readonly type: 'refusal'
  readonly code: RefusalCode
  /** One sentence. */
  readonly detail: string
  /** `superseded`: the time of the owner's last word, to be exceeded. */
  readonly stamp: Millis
  /** `quorum`: durable replicas, of so many needed. */
  readonly stored: number
  readonly needed: number
  /** Asking again may help. */
  readonly transient: boolean
}

export const refusalCodes = [
  'invalid',
  'exists',
  'superseded',
  'too many owners',
  'quorum',
  'not found',
  'not owner',
  'overloaded',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

/** A stretch of one bucket: the entries of guids above `after`, up to the last entry or, with `last`, to the bucket's end. */
export interface Page {
  readonly bucket: number
  /** Absent: from the bucket's start. */
  readonly after?: Guid | undefined
  readonly last: boolean
  readonly entries: readonly Entry[]
}

/** One record as comparisons see it. */
export interface Entry {
  readonly guid: Guid
  /** See `versionOf`: equal for equal claims. */
  readonly version: number
  /** The object's k, so that who lacks it can tell whether it should have it. */
  readonly replicas: number
}

/** Records are compared in buckets by the last byte of their guid. */
export const bucketCount = 256
/** Entries in one list: 50 KiB. A longer list comes in pages. */
export const maxEntries = 1024
/** Pages in one message, one for each bucket. */
export const maxPages = 256
/** Nodes a `get` may pass over, and nodes that an offer takes for gone. */
export const maxExcluded = 16
/** Nodes named in one message: twice the largest k there may be. */
export const maxHolders = 128
