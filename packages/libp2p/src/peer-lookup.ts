import { bool, decode, encode, message, nodeRef, repeated } from '@plaxton/wire'
import type { Guid } from '@plaxton/guid'
import type {
  AppEffects,
  Application,
  ForwardDecision,
  Millis,
  NodeRef,
  RefReader,
  Reply,
  ReplyHandle,
  RouteFailure,
  RoutedMessage,
} from '@plaxton/kbr'

/** Nodes in one answer: Kademlia's k, which is what callers of libp2p's peer routing expect at most. */
const maxClosest = 20

/** What the node asked says of itself and of those around it. */
export interface PeerReport {
  readonly self: NodeRef
  /** Whether it is a member of its overlay. */
  readonly member: boolean
  /**
   * For a lookup: the nodes closest to the key as its root sees them, nearest first. For a direct question: its neighbours, or, of one that is
   * no member, the nodes it may join through.
   */
  readonly closest: readonly NodeRef[]
}

/** Where a lookup ended. */
export interface Lookup extends PeerReport {
  readonly key: Guid
  readonly hops: number
  /** The whole way there and back. */
  readonly elapsedMs: Millis
  /** Ids of the nodes passed, the source first; empty unless asked for. */
  readonly path: readonly Guid[]
}

type Settle = (outcome: { readonly report: PeerReport; readonly reply: Extract<Reply, { ok: true }> } | RouteFailure) => void

/** The answer to "who is there?". The question is empty. */
export const reportSchema = message('PeerReport', {
  self: nodeRef(1),
  member: bool(2),
  closest: repeated(nodeRef(3), { max: maxClosest }),
})

/**
 * The application behind libp2p's peer routing: "who is the root of this key, and who stands around it?", and the same question to one
 * node directly.
 */
export class PeerLookup implements Application {
  readonly name = 'peers'
  private readonly readRef: RefReader
  private readonly onAsked: (by: NodeRef) => readonly NodeRef[]
  /** Open questions of this node by request id; the walking bounds how many there are and ends each. */
  private readonly open = new Map<number, Settle>()

  /** `onAsked` hears of each direct question before it is answered, and says whom a node that is no member should name. */
  constructor(readRef: RefReader, onAsked: (by: NodeRef) => readonly NodeRef[]) {
    this.readRef = readRef
    this.onAsked = onAsked
  }

  /** Command: asks the root of `key`; by way of `firstHop`, if given. */
  lookup(
    key: Guid,
    withinMs: Millis,
    way: { readonly keepPath: boolean; readonly firstHop: NodeRef | undefined },
    fx: AppEffects,
    settle: Settle,
  ): void {
    const { keepPath, firstHop } = way
    const options = { replyWithinMs: withinMs, keepPath, ...(firstHop === undefined ? {} : { firstHop }) }
    this.open.set(fx.route(key, nothing, options), settle)
  }

  /** Command: asks `node` itself. */
  ask(node: NodeRef, withinMs: Millis, fx: AppEffects, settle: Settle): void {
    this.open.set(fx.request(node, nothing, { withinMs }), settle)
  }

  deliver(message: RoutedMessage, _now: Millis, fx: AppEffects): void {
    fx.reply(message.reply, this.report(fx.replicaSet(message.key, maxClosest), fx))
  }

  onRequest(from: NodeRef, _payload: Uint8Array, reply: ReplyHandle, _now: Millis, fx: AppEffects): void {
    const acquainted = this.onAsked(from)
    fx.reply(reply, this.report(fx.ready ? fx.neighborSet(maxClosest) : acquainted.slice(0, maxClosest), fx))
  }

  onReply(requestId: number, reply: Reply): void {
    const settle = this.open.get(requestId)
    this.open.delete(requestId)
    if (!reply.ok) return settle?.(reply.failure)
    try {
      const report = decode(reportSchema, reply.payload, { ref: this.readRef, guidBytes: 32 })
      settle?.({ report, reply })
    } catch (error) {
      settle?.({ reason: 'rejected by application', detail: `the answer is garbled: ${(error as Error).message}`, at: undefined })
    }
  }

  forward(): ForwardDecision {
    return { action: 'continue' }
  }

  onStart(): void {}
  update(): void {}
  onTimer(): void {}
  onAnswer(): void {}

  onLeave(_now: Millis, fx: AppEffects): void {
    fx.handedOver()
  }

  private report(closest: readonly NodeRef[], fx: AppEffects): Uint8Array {
    return encode(reportSchema, { self: fx.self, member: fx.ready, closest })
  }
}

const nothing = new Uint8Array(0)
