import type { Guid } from '@plaxton/guid'
import { guidOfVirtualNode, guidToBytes } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import { InvalidValueError } from '@plaxton/kbr'
import { systemClock } from './clock.ts'
import { randomKey } from './crypto.ts'
import type { Link, LinkReceiver } from './link.ts'
import type { KeyPort } from './ports.ts'
import { TimerQueue } from './timer-queue.ts'

/** How a memory network behaves. */
export interface MemoryNetworkInit {
  /** One-way delay of each frame in milliseconds. Default 0: delivered in the next turn of the event loop. */
  readonly latencyMs?: Millis
}

/**
 * Many nodes in one process on the real clock. Frames travel as copied bytes, in order per pair of nodes, never lost while both ends are
 * open. A network is an object: two of them cannot meet.
 */
export class MemoryNetwork {
  private readonly latencyMs: Millis
  private readonly links = new Map<Guid, MemoryLink>()
  /** Every node that ever had a link, by id, so that references to nodes that are down are still understood. */
  private readonly known = new Map<Guid, NodeRef>()
  /** The key of each id that ever signed here: ids are no digests of keys, so the network is the one to ask. At most one per known node. */
  private readonly keys = new Map<Guid, Promise<KeyPort>>()
  private readonly publicKeys = new Map<Guid, Uint8Array>()
  /** The first node of the host that each virtual node runs on. At most one per known node. */
  private readonly hosts = new Map<Guid, Guid>()
  /** What happens in the next turn, in order. Bounded by what the nodes send in one turn. */
  private nextTurn: Array<() => void> = []
  private readonly delayed = new TimerQueue<() => void>(systemClock, (arrive) => arrive())

  constructor(init: MemoryNetworkInit = {}) {
    this.latencyMs = init.latencyMs ?? 0
  }

  /** The link of node `self`; its address is any text of its own. */
  link(self: NodeRef): Link {
    return new MemoryLink(this, self)
  }

  /**
   * The links of `count` virtual nodes of one host, whose first node is `self`; see `guidOfVirtualNode`. The network's latency does not delay what they say to
   * each other. At most `virtualNodesLimit`, and only on a network whose ids have whole bytes.
   */
  virtualLinks(self: NodeRef, count: number): Link[] {
    return Array.from({ length: count }, (_, index) => {
      if (index === 0) return this.link(self)
      const id = guidOfVirtualNode(guidToBytes(self.id), index).slice(0, self.id.length) as Guid
      this.hosts.set(id, self.id)
      return this.link({ id, address: `${self.address}#${index}`, epoch: self.epoch })
    })
  }

  /** The id of the first node of the host that this node runs on. For links. @internal */
  hostOf(id: Guid): Guid {
    return this.hosts.get(id) ?? id
  }

  /** The open link of `id`. For links. @internal */
  find(id: Guid): MemoryLink | undefined {
    return this.links.get(id)
  }

  /** For links. @internal */
  attach(link: MemoryLink): void {
    const { self } = link
    if (this.links.has(self.id)) throw new InvalidValueError('id', self.id, 'the id of a node that is not on this network now')
    this.links.set(self.id, link)
    this.known.set(self.id, self)
  }

  /** For links. @internal */
  detach(link: MemoryLink): void {
    this.links.delete(link.self.id)
  }

  /** A reference inside a message is believed when its address is the one the node was seen with. @internal */
  judge(id: Guid, address: string, epoch: number): NodeRef | undefined {
    const ref = this.known.get(id)
    if (ref?.address !== address) return undefined
    return ref.epoch === epoch ? ref : { id, address, epoch }
  }

  /** The key of the host with this node, the same for each of its links. @internal */
  keyOf(node: Guid): Promise<KeyPort> {
    const id = this.hostOf(node)
    let key = this.keys.get(id)
    if (key === undefined) {
      key = randomKey().then((made) => {
        this.publicKeys.set(id, made.publicKey)
        return made
      })
      this.keys.set(id, key)
    }
    return key
  }

  /** @internal */
  isKeyOf(id: Guid, publicKey: Uint8Array): boolean {
    const known = this.publicKeys.get(this.hostOf(id))
    return known !== undefined && known.length === publicKey.length && known.every((byte, i) => byte === publicKey[i])
  }

  /** Lets `arrive` happen after the network's latency, if there is a network in between, in the order of the calls. @internal */
  carry(from: Guid, to: Guid, arrive: () => void): void {
    if (this.latencyMs > 0 && this.hostOf(from) !== this.hostOf(to)) this.delayed.push(arrive, this.latencyMs)
    else if (this.nextTurn.push(arrive) === 1) soon(() => this.turn())
  }

  private turn(): void {
    const arrivals = this.nextTurn
    this.nextTurn = []
    for (const arrive of arrivals) arrive()
  }
}

class MemoryLink implements Link {
  readonly self: NodeRef
  readonly readRef: Link['readRef']
  private readonly network: MemoryNetwork
  private receiver: LinkReceiver | undefined
  /** Those that frames went to or came from: they notice when this link closes. At most one per node of the network. */
  private readonly connected = new Map<Guid, MemoryLink>()

  constructor(network: MemoryNetwork, self: NodeRef) {
    this.network = network
    this.self = self
    this.readRef = (id, address, epoch) => network.judge(id, address, epoch)
  }

  key(): Promise<KeyPort> {
    return this.network.keyOf(this.self.id)
  }

  isKeyOf(node: NodeRef, publicKey: Uint8Array): boolean {
    return this.network.isKeyOf(node.id, publicKey)
  }

  hostOf(node: NodeRef): string {
    return this.network.hostOf(node.id)
  }

  async open(receiver: LinkReceiver): Promise<void> {
    this.network.attach(this)
    this.receiver = receiver
  }

  send(to: NodeRef, frame: Uint8Array): void {
    if (this.receiver === undefined) return
    const peer = this.network.find(to.id)
    if (peer !== undefined) {
      this.connected.set(to.id, peer)
      peer.connected.set(this.self.id, this)
    }
    const copy = new Uint8Array(frame)
    this.network.carry(this.self.id, to.id, () => {
      if (peer?.receiver === undefined) this.receiver?.onPeerDown(to, 'unreachable')
      else peer.receiver.onFrame(this.self, copy)
    })
  }

  /** Nothing to do: a memory network drops no connection. */
  keep(): void {}

  async close(): Promise<void> {
    if (this.receiver === undefined) return
    this.receiver = undefined
    this.network.detach(this)
    for (const peer of this.connected.values()) {
      peer.connected.delete(this.self.id)
      this.network.carry(this.self.id, peer.self.id, () => peer.receiver?.onPeerDown(this.self, 'disconnected'))
    }
    this.connected.clear()
  }
}

/** The next turn of the event loop: input and output of the process get their share between two turns. */
const soon: (turn: () => void) => void = globalThis.setImmediate ?? ((turn) => void setTimeout(turn, 0))
