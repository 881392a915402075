import type { Guid } from '@plaxton/guid'
import type { RouteFailure } from './kbr.ts'
import type { Millis, NodeRef } from './node-ref.ts'

/**
 * What a stack of cores tells the outside, by type. Applications add their own under `<name>:<word>`, for example
 * `past:put-done`.
 */
export type KbrEvent =
  /** This node became a member, after `elapsedMs` of joining. */
  | { readonly type: 'ready'; readonly elapsedMs: Millis }
  /** Joining failed for good; one sentence why. */
  | { readonly type: 'join-failed'; readonly reason: string }
  /** This node has left. */
  | { readonly type: 'left' }
  /** A node entered or left the neighbour set. */
  | { readonly type: 'neighbor'; readonly node: NodeRef; readonly joined: boolean }
  /** A peer did not answer in time and is being probed. */
  | { readonly type: 'peer-suspected'; readonly peer: NodeRef }
  /** A peer is taken to be dead. */
  | { readonly type: 'peer-failed'; readonly peer: NodeRef }
  /** A message was handed to its application at its root. */
  | { readonly type: 'delivered'; readonly application: string; readonly key: Guid; readonly hops: number }
  /** A message took another next hop because the first did not answer. */
  | { readonly type: 'rerouted'; readonly key: Guid; readonly from: NodeRef; readonly to: NodeRef }
  /** A message ended at this node without reaching its root. */
  | { readonly type: 'route-failed'; readonly key: Guid; readonly failure: RouteFailure }
  /** Something a stranger sent was dropped; counted by `reason`. */
  | { readonly type: 'dropped'; readonly from: NodeRef | undefined; readonly reason: string }
  | ApplicationEvent

/** An event of an application; its package types the rest. */
export interface ApplicationEvent {
  readonly type: `${string}:${string}`
}
