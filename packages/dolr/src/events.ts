import type { Guid } from '@plaxton/guid'
import type { NodeRef, PlaxtonError } from '@plaxton/kbr'

/** What a DOLR node tells the outside. */
export type DolrEvent =
  /** A command ended: each ends in exactly one of these. */
  | { readonly type: 'dolr:done'; readonly command: number; readonly outcome: DolrOutcome }
  /** A step of a command, in one sentence. */
  | { readonly type: 'dolr:progress'; readonly command: number; readonly step: DolrStep; readonly detail: string }
  /** One host's answer to what `send` sent, before the `dolr:done` of the command. `host` is not known where a node on the way has chosen it. */
  | { readonly type: 'dolr:reply'; readonly command: number; readonly host: NodeRef | undefined; readonly payload: Uint8Array }
  /** A message to an object this node hosts: to be answered with `answer(delivery, …)`, once. */
  | { readonly type: 'dolr:message'; readonly delivery: number; readonly guid: Guid; readonly message: Uint8Array }
  /** A publication was repeated, and so many of its `of` roots have said that they keep it. */
  | { readonly type: 'dolr:republished'; readonly guid: Guid; readonly roots: number; readonly of: number }
  /** A host turned out to be dead, or not to host the object any more: its pointer here was dropped. */
  | { readonly type: 'dolr:dropped-host'; readonly guid: Guid; readonly host: NodeRef; readonly reason: string }
  /** Something another node sent was no message, or broke a rule; counted. */
  | { readonly type: 'dolr:garbage'; readonly from: NodeRef | undefined; readonly reason: string }

/** What a command does just now. */
export type DolrStep =
  | 'signing'
  | 'publishing'
  | 'published'
  | 'withdrawing'
  | 'locating'
  | 'found'
  | 'measuring'
  | 'sending'
  | 'answered'
  | 'retrying'

/** `publish` and `unpublish`: a receipt. `send`: the hosts that answered, as far as they are known. `locate`: hosts, nearest first. */
export type DolrValue = PublishReceipt | readonly NodeRef[]

/** Who keeps a publication, or has forgotten it. */
export interface PublishReceipt {
  readonly guid: Guid
  /** The roots that said so. */
  readonly roots: readonly NodeRef[]
  /** How many there are to be. */
  readonly wanted: number
}

/** What came of a command: a value, or one of the errors of `@plaxton/kbr`. */
export type DolrOutcome = { readonly ok: true; readonly value: DolrValue } | { readonly ok: false; readonly error: PlaxtonError }
