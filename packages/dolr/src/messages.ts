import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { SignedRecord } from './records.ts'

/**
 * What one DOLR node asks another. *Routed* messages go towards the root key of a guid and salt, and mean something to every node they pass;
 * *direct* ones go to a node known by reference, *told* ones too, and these have no reply.
 */
export type DolrCall =
  | PublishCall
  | LocateCall
  | SendCall
  /** Direct: give this message to whoever answers for the object. → `answer` */
  | { readonly type: 'deliver'; readonly guid: Guid; readonly id: number; readonly payload: Uint8Array }
  /** Direct: do you host this, and what has become of the message `id` (0: none in particular)? → `pong` */
  | { readonly type: 'ping'; readonly guid: Guid; readonly id: number }
  /** Direct: what has become of attempt `attempt` of the message `id`? If it has not been with you, you do not take it any more. → `traced` */
  | { readonly type: 'trace'; readonly guid: Guid; readonly id: number; readonly attempt: number }
  /** Direct: keep these too, though no way passes you. → `kept` */
  | { readonly type: 'copy'; readonly records: readonly SignedRecord[]; readonly distanceMs: Millis }
  /** Direct, to a node a record came from: do you still send it to me? If not, you will tell me so. See `ways.ts`. → `kept` */
  | { readonly type: 'recheck'; readonly guid: Guid; readonly host: Guid; readonly salt: number }
  /** Told, to a node a record was sent to: I send it to you no longer. */
  | { readonly type: 'release'; readonly guid: Guid; readonly host: Guid; readonly salt: number }
  /** Told, by a node that a message was sent on to as to a host: it does not host this. */
  | { readonly type: 'moved'; readonly guid: Guid }

/** Routed: every node on the way keeps a pointer to the record's host, or learns that it was withdrawn. → `published` | `refusal` */
export interface PublishCall {
  readonly type: 'publish'
  readonly record: SignedRecord
  readonly salt: number
  /** Round trips of the hops from the host to the node that receives this, added up. */
  readonly distanceMs: Millis
  /** The last of them: a hop that has to be taken another way is not counted twice. */
  readonly stepMs: Millis
  /** Hops so far, as the sender of this counted them. */
  readonly step: number
  /** Sent by a node that has the pointer already and whose way has changed: it ends where it meets the way as it was. */
  readonly push: boolean
}

/** Routed: who hosts it? The first node that knows enough of them answers, otherwise the root. → `found` | `absent` */
export interface LocateCall {
  readonly type: 'locate'
  readonly guid: Guid
  readonly salt: number
  /** Hosts asked for, 1 to {@link maxHosts}. */
  readonly wanted: number
  /** Hosts that are of no use: asked already, or dead. */
  readonly excluded: readonly Guid[]
  /** Found so far on the way, fewer than wanted. */
  readonly found: readonly Candidate[]
}

/** Routed, with the policy `'holder'`: the first node with a pointer sends it on to the host, which answers. → `answer` | `absent` | `found` | `late` */
export interface SendCall {
  readonly type: 'send'
  readonly guid: Guid
  readonly salt: number
  /** The sender's number for it, random. */
  readonly id: number
  /** How often the sender has sent it. */
  readonly attempt: number
  /** Hosts that did not take it. */
  readonly excluded: readonly Guid[]
  readonly payload: Uint8Array
}

/** A host as a node on the way knows it. */
export interface Candidate {
  readonly node: NodeRef
  /** Its distance from the node that knows it, as a round trip. */
  readonly distanceMs: Millis
}

export type DolrReply =
  /** The root keeps the pointer. */
  | { readonly type: 'published'; readonly root: NodeRef }
  /** It does not. `signedAt`: of the newer record it has, 0 when that is not the reason. */
  | { readonly type: 'refusal'; readonly detail: string; readonly signedAt: Millis }
  /** At most {@link maxHosts}, nearest to `by` first. `root`: there are no more on this way. */
  | { readonly type: 'found'; readonly hosts: readonly Candidate[]; readonly by: NodeRef; readonly root: boolean }
  /** No pointer on the whole way; `root` says so. */
  | { readonly type: 'absent'; readonly root: NodeRef }
  | { readonly type: 'answer'; readonly outcome: DeliveryOutcome; readonly detail: string; readonly payload: Uint8Array }
  /** The next hop of a message has not acknowledged it. It may have it all the same. */
  | { readonly type: 'late'; readonly hop: NodeRef }
  | Traced
  /** `state`: of the message asked about. */
  | { readonly type: 'pong'; readonly hosts: boolean; readonly state: DeliveryState }
  | { readonly type: 'kept' }

export type DolrMessage = DolrCall | DolrReply

/** The words for {@link DeliveryOutcome}, in their order on the wire. */
export const deliveryOutcomes = ['answered', 'refused', 'not hosted', 'nobody answers', 'busy'] as const
/**
 * `answered` and `refused`: the handler had the message. The others: it did not, and another host may have it. `nobody answers`: the object is hosted, but
 * without a handler. `busy`: there is a handler, but it takes no message just now.
 */
export type DeliveryOutcome = (typeof deliveryOutcomes)[number]

/** The words for {@link DeliveryState}, in their order on the wire. */
export const deliveryStates = ['unknown', 'open', 'over'] as const
/** `open`: the handler has the message and has not answered. `over`: it has. */
export type DeliveryState = (typeof deliveryStates)[number]

export interface Traced {
  readonly type: 'traced'
  readonly state: TraceState
  /** The node it was sent on to; otherwise nobody. */
  readonly to: readonly NodeRef[]
}

/** The words for {@link TraceState}, in their order on the wire. */
export const traceStates = ['unknown', 'onward', 'host', 'here'] as const
/** `onward`: sent on to the next hop. `host`: sent on to a host. `here`: the handler here has it, or had it. */
type TraceState = (typeof traceStates)[number]

/** Hosts in one answer, whatever was asked for: 16 addresses of 300 bytes are still a small message. */
export const maxHosts = 16
/** Hosts a search may rule out. */
export const maxExcluded = 64
/** Records in one `copy`. */
export const maxCopies = 64
