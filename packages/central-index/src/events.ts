import type { Guid } from '@plaxton/guid'
import type { AppEffects, NodeRef, PlaxtonError } from '@plaxton/kbr'
import type { FoundFile } from './messages.ts'

/** What a client or a server of a central index tells the outside. */
export type CentralIndexEvent =
  /** Client: a command ended; each ends in exactly one of these. */
  | { readonly type: 'central-index:done'; readonly command: number; readonly outcome: IndexOutcome }
  /** Client: a step of a command, in one sentence. */
  | { readonly type: 'central-index:progress'; readonly command: number; readonly step: IndexStep; readonly detail: string }
  /** Client: one host's answer to what `send` sent, before the end of the command. */
  | { readonly type: 'central-index:reply'; readonly command: number; readonly host: NodeRef; readonly payload: Uint8Array }
  /** Client: a message to an object hosted here: to be answered with `answer(delivery, …)`, once. */
  | { readonly type: 'central-index:message'; readonly delivery: number; readonly guid: Guid; readonly message: Uint8Array }
  /** Client: a peer wants a piece of a file offered here: to be answered with `supply(read, …)` or `deny(read, …)`, once. */
  | { readonly type: 'central-index:read'; readonly read: number; readonly guid: Guid; readonly offset: number; readonly length: number }
  /** Client: its list is registered with this server from now on. */
  | { readonly type: 'central-index:home'; readonly server: NodeRef; readonly listings: number }
  /** Client: the server it had registered with does not answer; the next one is tried. */
  | { readonly type: 'central-index:home-lost'; readonly server: NodeRef; readonly reason: string }
  /** Server: another server knows all that this one does. */
  | { readonly type: 'central-index:in-step'; readonly server: NodeRef }
  /** Server: another server does not answer or has restarted: changes are acknowledged without it until it has caught up. */
  | { readonly type: 'central-index:behind'; readonly server: NodeRef; readonly reason: string }
  /** Server: a client was not heard of for the time of its lease, or said good-bye: it is off the index. */
  | { readonly type: 'central-index:client-gone'; readonly client: NodeRef; readonly listings: number; readonly expired: boolean }
  /** Something another node sent was no message, or broke a rule; counted. */
  | { readonly type: 'central-index:garbage'; readonly from: NodeRef; readonly reason: string }

/** The steps of commands, in about the order in which they happen; the numbers are those of Napster's protocol. */
export type IndexStep =
  /** A server is being told what this node offers. (5) */
  | 'registering'
  /** A server is being asked. (1) */
  | 'asking'
  /** A server did not answer, and the next is asked. */
  | 'server-failed'
  /** Hosts were named, and are asked whether they live. (2) */
  | 'peers'
  /** A message is on its way to a host, or a file is requested of a peer. (3) */
  | 'sending'
  /** A host or a peer failed or refused. */
  | 'peer-failed'
  /** Part of a file has come. (4) */
  | 'piece'
  /** The bytes are those that the guid stands for, or not. */
  | 'verified'
  | 'corrupt'
  /** All that was named failed; the servers are asked again. */
  | 'retrying'

export type IndexOutcome = { readonly ok: true; readonly value: IndexValue } | { readonly ok: false; readonly error: PlaxtonError }

/** What a command ends with: nothing, hosts, files, a fetched file, or how many hosts answered a message. */
export type IndexValue = undefined | readonly NodeRef[] | readonly FoundFile[] | FetchedFile | number

/** A file that was fetched, verified against its guid. */
export interface FetchedFile {
  readonly guid: Guid
  /** As the peer lists it. */
  readonly name: string
  readonly bytes: Uint8Array
  /** Those who sent pieces of it, in the order of their first ones. */
  readonly from: readonly NodeRef[]
}

/** Emits one of this package's events. */
export function emit(fx: AppEffects, event: CentralIndexEvent): void {
  fx.emit(event)
}
