import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'

/** What every command takes: the object, and how long the command may last (default `DolrConfig.commandMs`). */
export interface DolrRequest {
  readonly guid: Guid
  readonly timeoutMs?: Millis | undefined
}

export interface PublishRequest extends DolrRequest {
  /** Whether this node answers messages to the object: `dolr:message` and `answer`. Default false: it can be located, no more. */
  readonly answers?: boolean | undefined
}

export interface SendRequest extends DolrRequest {
  /** At most 1 MiB. */
  readonly message: Uint8Array
  /** Hosts that are to get it, 1 to `DolrConfig.maxReplies`. Default 1. */
  readonly n?: number | undefined
}

export interface LocateRequest extends DolrRequest {
  /** Hosts wanted, 1 to 16. Default 1. */
  readonly n?: number | undefined
  /** Ask the hosts found, and name only those that say that they host the object. Default false. */
  readonly checked?: boolean | undefined
}

/** What a node can say of itself at any moment. */
export interface DolrStats {
  /** Objects this node hosts. */
  readonly publications: number
  /** Pointers kept for others, withdrawn ones included. */
  readonly pointers: number
  /** Commands of this node that have not ended. */
  readonly commands: number
  /** Messages the handlers here have yet to answer. */
  readonly deliveries: number
  /** Questions and calls that have no answer yet. */
  readonly inFlight: number
  /** Signatures being checked. */
  readonly verifications: number
  /** Pointers sent on because their way had changed. */
  readonly moved: number
  /** Pointers that gave way to others, or were not taken, because there was no room. */
  readonly displaced: number
  /** Pointers to hosts that were found dead or not to host the object any more. */
  readonly dropped: number
  /** Records that were not signed by the host they name. */
  readonly forged: number
  /** Messages that were none. */
  readonly garbage: number
  /** Commands, records and messages turned away because too much was going on. */
  readonly overloads: number
}
