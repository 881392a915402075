import type { Guid } from '@plaxton/guid'

/**
 * What daemon and clients say to each other. One connection is one call:
 *
 * 1. The client sends `call` with the version, the command and its arguments.
 * 2. The daemon tells of its progress and sends what was asked for: any number of `progress`, `item`, `entry`, `data` and `reply`. It asks for
 *    what it needs, in frames with an `id` that the client's answer repeats: for `put`, `next` is answered by `entry` or `end`, and
 *    `read` by the `data` of one entry that follow, empty at its end; for `send`, `message` by the `data` to be sent; for `host`, each
 *    `message` to an object by a `reply` or a `refusal`, and `until`, asked once, by `end` when the client wants to host no more.
 * 3. At last the daemon sends one `result` or `error`.
 *
 * A client that wants no more closes the connection, and the daemon ends what it was doing.
 */
export const protocolVersion = 1

/** Where a node is: its id and how it is reached. */
export interface NodeView {
  readonly id: Guid
  readonly addresses: readonly string[]
}

export interface PutResult {
  readonly guid: Guid
  readonly cid: string
  readonly name: string
  readonly type: 'file' | 'directory'
  /** Bytes of content. */
  readonly size: number
  readonly blocks: number
  /** Durable copies of the block with the fewest when the daemon answered; others may have followed. */
  readonly replicas: number
  readonly wanted: number
  readonly elapsedMs: number
}

export interface RemoveResult {
  readonly guid: Guid
  readonly cid: string
  /** Its name in the catalog; null when it was not there. */
  readonly name: string | null
  readonly removed: number
  /** Blocks that other entries of the catalog need too. */
  readonly kept: number
  readonly missing: number
  readonly notOwned: number
  readonly elapsedMs: number
}

/** An entry of the catalog, or of a directory; of the latter, how many blocks it has and when it was stored is not known. */
export interface ListItem {
  readonly name: string
  readonly guid: Guid
  readonly cid: string
  readonly type: 'file' | 'directory'
  readonly size: number
  readonly blocks?: number
  readonly storedAt?: number
}

export interface StatResult {
  readonly guid: Guid
  readonly cid: string
  readonly type: 'file' | 'directory'
  readonly size: number
  readonly blocks: number
  /** Live copies of the block that has the fewest, and the most. */
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly wanted: number
  readonly elapsedMs: number
}

/** One block of a tree and who holds it. */
export interface BlockItem {
  readonly guid: Guid
  readonly size: number
  readonly wanted: number
  readonly holders: readonly Guid[]
}

export interface PeersResult {
  readonly self: NodeView
  /** The nodes next to this one in the id space, nearest first. */
  readonly neighbors: ReadonlyArray<NodeView & { readonly roundTripMs: number | null }>
  readonly connections: ReadonlyArray<{
    readonly peer: string
    readonly address: string
    readonly direction: 'inbound' | 'outbound'
    readonly openMs: number
  }>
}

export interface LookupResult {
  readonly key: Guid
  readonly root: NodeView
  readonly hops: number
  /** Ids of the nodes passed, this one first and the root last. */
  readonly path: readonly Guid[]
  /** The nodes closest to the key as its root sees them, nearest first. */
  readonly closest: readonly NodeView[]
  readonly elapsedMs: number
}

/** An object made known, or no longer. */
export interface PublishResult {
  readonly guid: Guid
  readonly elapsedMs: number
}

export interface LocateResult {
  readonly guid: Guid
  /** Who hosts the object, the nearest first as the overlay sees it. */
  readonly hosts: readonly NodeView[]
  readonly elapsedMs: number
}

/** The replies have come before, each in a frame of its own. */
export interface SendResult {
  readonly guid: Guid
  readonly replies: number
  readonly elapsedMs: number
}

/** Sent once all objects are known to the network. */
export interface HostingItem {
  /** In the order in which the client named the objects. */
  readonly guids: readonly Guid[]
}

export interface HostResult {
  /** Messages answered, and those refused. */
  readonly answered: number
  readonly refused: number
  readonly hostedMs: number
}

/** One of the nodes that a daemon runs. */
export interface NodeLoad {
  readonly id: Guid
  readonly ready: boolean
  readonly objects: number
  readonly bytes: number
}

export interface StatusResult {
  readonly version: string
  readonly pid: number
  readonly uptimeMs: number
  readonly ready: boolean
  readonly id: Guid
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly network: string
  readonly overlay: string
  readonly data: string
  /** The nodes of the overlay on this host, the first one first, and what each of them holds. */
  readonly nodes: readonly NodeLoad[]
  /** Replicas held here, and their bytes. */
  readonly objects: number
  readonly bytes: number
  /** Objects of which only the removal is remembered. */
  readonly tombstones: number
  /** Entries of the catalog. */
  readonly catalog: number
  /** Objects this daemon has made known: by `publish`, and for clients that host them. */
  readonly published: number
  readonly hosted: number
  readonly neighbors: number
  readonly connections: number
  /** Counted since the start. */
  readonly counters: Readonly<Record<string, number>>
}
