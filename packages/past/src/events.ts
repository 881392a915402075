import type { Guid } from '@plaxton/guid'
import type { Inspection, NodeRef, PlaxtonError, PutReceipt, RemoveReceipt } from '@plaxton/kbr'

/** What a PAST node tells the outside. */
export type PastEvent =
  /** A command ended: each ends in exactly one of these. */
  | { readonly type: 'past:done'; readonly command: number; readonly outcome: PastOutcome }
  /** A step of a command, in one sentence. */
  | { readonly type: 'past:progress'; readonly command: number; readonly step: PastStep; readonly detail: string }
  /** This node now holds the object durably. */
  | { readonly type: 'past:stored'; readonly guid: Guid; readonly size: number }
  /** Maintenance has copied an object, or the news of its removal, from another node. */
  | { readonly type: 'past:repaired'; readonly guid: Guid; readonly from: NodeRef }
  /** This node has erased the object's bytes and why. */
  | { readonly type: 'past:erased'; readonly guid: Guid; readonly reason: 'removed' | 'expired' | 'handed over' | 'unreadable' }
  /** All that was on disk is known, before anything else is served. */
  | { readonly type: 'past:loaded'; readonly objects: number }
  /** A round of maintenance has ended; `waiting` records are still to be copied, and `handedOver` were given away. */
  | { readonly type: 'past:compared'; readonly waiting: number; readonly handedOver: number }
  /** Something another node sent was no message, or broke a rule; counted. */
  | { readonly type: 'past:garbage'; readonly from: NodeRef | undefined; readonly reason: string }

/** What a command does just now. */
export type PastStep =
  | 'signing'
  | 'locating'
  | 'sending'
  | 'retrying'
  | 'hedging'
  | 'reading'
  | 'fetching'
  | 'verifying'
  | 'stored'
  | 'found'

/** `put`: a receipt. `get`: the bytes. `remove`: a receipt. `has`: a boolean. `inspect` and `ensure`: an inspection. */
export type PastValue = PutReceipt | Uint8Array | RemoveReceipt | boolean | Inspection

/** What came of a command: a value, or one of the errors of `@plaxton/kbr`. */
export type PastOutcome = { readonly ok: true; readonly value: PastValue } | { readonly ok: false; readonly error: PlaxtonError }
