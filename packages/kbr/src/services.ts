import type { Guid } from '@plaxton/guid'
import type { NodeRef } from './node-ref.ts'

/** The part of a platform `AbortSignal` the interfaces below need; every real one fits. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Given to every asynchronous call. */
export interface CallOptions {
  /** Ends the call with the signal's reason. What was already sent is not taken back. */
  readonly signal?: AbortSignalLike
  /** Gives up after this many milliseconds; each call states its default. */
  readonly timeoutMs?: number
  /** Typed progress, in the order things happen: the call explains itself. */
  readonly onProgress?: (event: ProgressEvent) => void
}

/** One step of a call, for a person or a log. */
export interface ProgressEvent {
  /** `<service>:<step>`, for example `past:replica-stored`. */
  readonly type: string
  /** One sentence. */
  readonly detail: string
}

/** How many durable replicas a `put` waits for: more than half of those wanted, or all of them. */
export type WriteQuorum = 'majority' | 'all'

/** How a `put` is to be done. */
export interface PutOptions extends CallOptions {
  /** Replicas wanted, 1 to |L|/2 + 1 or `PastConfig.maxReplicas`; in a ring of fewer nodes, all nodes. Default 5 (PAST, SOSP 2001). */
  readonly replicas?: number
  readonly quorum?: WriteQuorum
  /** Milliseconds since 1970 after which nodes may drop the object. Default: never. */
  readonly expires?: number
  /**
   * Makes it a *named* object: its guid is the digest of this name, the owner's public key and `salt`. Without a name the
   * guid must be the SHA-256 of the bytes (a *content* object). At most 512 bytes of UTF-8.
   */
  readonly name?: string
  /** Distinguishes objects of one name and owner; at most 32 bytes. Default none. */
  readonly salt?: Uint8Array
}

/** Who holds what was put. Holders have said so after the bytes were durable. */
export interface PutReceipt {
  readonly guid: Guid
  /** Bytes of the object. */
  readonly size: number
  /** Nodes that hold it durably, the root first if it is among them. */
  readonly holders: readonly NodeRef[]
  /** Replicas wanted, and how many of them the call waited for. */
  readonly wanted: number
  readonly quorum: number
  /** Milliseconds since 1970; undefined: never expires. */
  readonly expires: number | undefined
}

/** Who let go of an object. */
export interface RemoveReceipt {
  readonly guid: Guid
  /** Nodes that have durably stored the removal. */
  readonly holders: readonly NodeRef[]
}

/** The live copies of an object, as its replica set answered just now. */
export interface Inspection {
  readonly guid: Guid
  readonly size: number
  /** Replicas wanted by its certificate. */
  readonly wanted: number
  readonly holders: readonly NodeRef[]
  readonly expires: number | undefined
}

/**
 * A distributed hash table over objects that never change: Coulouris et al. fig. 10.4, PAST (SOSP 2001). All calls reject with
 * a {@link PlaxtonError} or the signal's reason.
 */
export interface Dht {
  /**
   * Stores `data` under `guid` on the nodes closest to it. Rejects with `AlreadyExistsError` when other bytes live there, and with
   * `QuorumError` when too few replicas became durable or more are wanted than the overlay can tell the place of.
   */
  put(guid: Guid, data: Uint8Array, options?: PutOptions): Promise<PutReceipt>
  /** The object's bytes, verified. Rejects with `NotFoundError`. */
  get(guid: Guid, options?: CallOptions): Promise<Uint8Array>
  /** Withdraws the owner's claim on the object everywhere. Rejects with `NotOwnerError`, `NotFoundError`. */
  remove(guid: Guid, options?: CallOptions): Promise<RemoveReceipt>
  has(guid: Guid, options?: CallOptions): Promise<boolean>
  inspect(guid: Guid, options?: CallOptions): Promise<Inspection>
  /**
   * Restores the object to `replicas` live copies (its own number by default) and says who holds it then. Copies beyond its own number are
   * not kept up: maintenance, every minute or sooner, takes them for ones left behind and drops them.
   */
  ensure(guid: Guid, replicas?: number, options?: CallOptions): Promise<Inspection>
}

/**
 * Answers messages sent to an object this node hosts. Throwing refuses the message with the error's text; throwing `NotReadyError` says that it was not
 * handled at all, and it goes to another host.
 */
export type ObjectHandler = (message: Uint8Array, guid: Guid) => Uint8Array | Promise<Uint8Array>

/** An object while this node answers for it. */
export interface HostedObject {
  readonly guid: Guid
  /** Stops answering, then unpublishes. Does nothing the second time. */
  stop(options?: CallOptions): Promise<void>
}

/** How hosts are to be located. */
export interface LocateOptions extends CallOptions {
  /** Ask the hosts found, and name only those that say that they host the object: takes a connection to each. Default false. */
  readonly checked?: boolean
}

/** The replies to one message: all of them as they come, or the first by `await`. Both may be done, and more than once. */
export interface Replies extends AsyncIterable<Uint8Array>, PromiseLike<Uint8Array> {}

/**
 * Decentralised object location and routing: Coulouris et al. fig. 10.5, Tapestry (JSAC 2004). All calls reject with a {@link PlaxtonError} or the
 * signal's reason.
 */
export interface Dolr {
  /**
   * Makes it known that this node hosts `guid`, until {@link unpublish} or its end. It can be located then; messages to it are passed on to another host
   * unless this node answers them ({@link host}).
   */
  publish(guid: Guid, options?: CallOptions): Promise<void>
  /** Rejects with `NotFoundError` when this node does not host `guid`. */
  unpublish(guid: Guid, options?: CallOptions): Promise<void>
  /** Publishes `guid` and answers messages to it. */
  host(guid: Guid, handler: ObjectHandler, options?: CallOptions): Promise<HostedObject>
  /**
   * Sends `message` to the `n` (default 1) nearest hosts of `guid`; yields their replies, at most n, fewer when there are fewer hosts. No host gets it twice
   * within a minute. Fails with `NotFoundError` when there is no host, and with `RouteError` when all that had it refused it.
   */
  sendToObj(message: Uint8Array, guid: Guid, n?: number, options?: CallOptions): Replies
  /**
   * The `n` (default 1) nearest hosts of `guid`, nearest first, fewer when there are fewer; unless `checked`, as the network remembers them. Rejects with
   * `NotFoundError`.
   */
  locate(guid: Guid, n?: number, options?: LocateOptions): Promise<readonly NodeRef[]>
}
