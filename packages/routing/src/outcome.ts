import type { Guid } from '@plaxton/guid'
import type { NodeRef, RouteFailure, RouteFailureReason } from '@plaxton/kbr'
import { maxDetailLength } from './messages.ts'

/** How a routed message or a request ended, as it travels back. */
export type Outcome = { readonly ok: true; readonly payload: Uint8Array } | { readonly ok: false; readonly failure: RouteFailure }

export function answered(payload: Uint8Array): Outcome {
  return { ok: true, payload }
}

/** `detail` is one sentence; what is too long to travel is cut. */
export function failed(reason: RouteFailureReason, detail: string, at: NodeRef | undefined): Outcome {
  return { ok: false, failure: { reason, detail: detail.slice(0, maxDetailLength), at } }
}

/** What a reply or refusal tells besides its outcome. */
export interface Trail {
  /** Transmissions from the source to the node that answered. */
  readonly hops: number
  /** Ids of the nodes passed after the source; empty unless asked for. */
  readonly path: readonly Guid[]
}
