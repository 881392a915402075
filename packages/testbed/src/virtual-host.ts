import type { Guid } from '@plaxton/guid'
import type { KbrEvent, Message, Millis, NodeRef, Overlay, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import type { VirtualNetwork } from './virtual-network.ts'

/** One node of a {@link VirtualNetwork} with its sink. */
export class VirtualHost<Node extends Overlay> implements OverlayEffects {
  readonly ref: NodeRef
  readonly node: Node
  readonly events: KbrEvent[] = []
  /** The upcalls of neighbours, as `+id` and `-id`. */
  readonly neighbors: string[] = []
  routeChanges = 0
  rankChanges = 0
  alive = true
  /** Has been told to leave, and may still be there until nobody has it in a table. */
  leaving = false
  private readonly network: VirtualNetwork<Node>
  /** Walks that wait. */
  private readonly held = new Set<() => void>()

  constructor(network: VirtualNetwork<Node>, ref: NodeRef, node: Node) {
    this.network = network
    this.ref = ref
    this.node = node
  }

  join(bootstraps: readonly VirtualHost<Node>[]): void {
    this.node.join(
      bootstraps.map((host) => host.ref),
      this.network.now,
      this,
    )
  }

  /** It goes at once, or, where nodes retire, when the others have confirmed. */
  leave(): void {
    this.leaving = true
    this.node.retire?.(this.network.now, this)
    this.goWhenRetired()
  }

  goWhenRetired(): void {
    if (!this.leaving || !this.alive || this.node.retired === false || this.held.size > 0) return
    this.node.leave(this.network.now, this)
    this.alive = false
  }

  crash(): void {
    this.alive = false
  }

  peerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.node.onPeerDown(peer, cause, this.network.now, this)
    this.goWhenRetired()
  }

  /** Hands it a message as if `from` had sent it. */
  take(from: NodeRef, message: Message): void {
    this.node.onContact(from, this.network.now, this)
    this.node.onMessage(from, message, this.network.now, this)
    this.node.assertInvariants()
  }

  send(to: NodeRef, message: Message): void {
    this.network.transmit(this, to, message, (host) => host.node.onMessage(this.ref, message, this.network.now, host))
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.network.at(delayMs, () => {
      if (!this.alive) return
      this.node.onTimer(kind, arg, this.network.now, this)
      this.goWhenRetired()
    })
  }

  emit(event: KbrEvent): void {
    this.events.push(event)
  }

  route(key: Guid, payload: Uint8Array, cursor = 0): void {
    this.walk(key, payload, 0, cursor, new Set())
  }

  neighborChanged(node: NodeRef, joined: boolean): void {
    this.neighbors.push(`${joined ? '+' : '-'}${node.id}`)
  }

  routesChanged(): void {
    this.routeChanges++
  }

  ranksChanged(): void {
    this.rankChanges++
  }

  peerRecovered(): void {
    for (const again of [...this.held]) this.network.at(0, again)
  }

  becameReady(): void {}
  peerFailed(): void {}

  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }

  /** One hop of a walk. A hop that is not there is noticed after 300 ms. */
  private walk(key: Guid, payload: Uint8Array, hops: number, cursor: number, avoid: ReadonlySet<Guid>): void {
    const { node, network } = this
    if (hops > 40 || avoid.size > 8 || !this.alive) return
    const next = node.nextHop(key, cursor, avoid)
    if (next.action === 'none') return
    if (next.action === 'hold') return this.hold(() => this.walk(key, payload, hops + 1, cursor, new Set()))
    const to = next.action === 'forward' ? next.to : undefined
    if (!node.forwardOwn(key, payload, hops, to, network.now, this) || next.action !== 'forward' || to === undefined) return
    let arrived = false
    network.transmit(this, to, { type: 'route' }, (host) => {
      arrived = true
      host.walk(key, payload, hops + 1, next.cursor, new Set())
    })
    network.at(300, () => {
      if (arrived || !this.alive) return
      node.suspect(to, network.now, this)
      this.walk(key, payload, hops, cursor, new Set([...avoid, to.id]))
    })
  }

  /** Goes on when a suspect has answered, or after a while. */
  private hold(goOn: () => void): void {
    const again = (): void => {
      if (!this.held.delete(again)) return
      goOn()
      this.goWhenRetired()
    }
    this.held.add(again)
    this.network.at(500, again)
  }
}
