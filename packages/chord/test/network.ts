import { compareGuids, randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NodeRef, Overlay, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import { chord, chordDefaults } from '../src/index.ts'
import type { ChordConfig, ChordNode } from '../src/index.ts'

/**
 * Chord nodes in virtual time, with just enough walking to carry their joins: hop by hop, and around a next hop that is not
 * there. The real walking is tested with the simulator.
 */
export class TestNetwork {
  now: Millis = 0
  /** Probability that a message is lost. */
  loss = 0
  /** Whether two nodes reach each other. */
  reachable: (a: NodeRef, b: NodeRef) => boolean = () => true
  /** Told of every message that is sent, and of every question that is passed on. */
  onSent: (from: NodeRef, to: NodeRef, message: Message) => void = () => {}
  /** One way. */
  latencyMs: (a: NodeRef, b: NodeRef) => Millis
  /** Whether a refused connection is noticed, as on TCP. */
  tellsUnreachable = false
  sent = 0
  readonly prng: Prng
  readonly hosts = new Map<Guid, TestHost>()
  private readonly config: Partial<ChordConfig>
  private readonly heap: Array<{ at: Millis; order: number; run: () => void }> = []
  private order = 0

  constructor(seed: number | string, config: Partial<ChordConfig> = {}) {
    this.prng = Prng.fromSeed(seed)
    this.config = config
    const jitter = this.prng.fork()
    this.latencyMs = () => 10 + jitter.nextInt(40)
  }

  /** A new node; it has not joined. */
  add(id: Guid = randomGuid(this.prng, 128), epoch = 1): TestHost {
    const host = new TestHost(this, { id, address: `test:${id}`, epoch }, this.config)
    this.hosts.set(id, host)
    return host
  }

  /** `count` members, joined one after the other, or those with these ids. */
  grow(nodes: number | readonly Guid[]): TestHost[] {
    const ids = typeof nodes === 'number' ? Array.from({ length: nodes }, () => randomGuid(this.prng, 128)) : nodes
    return ids.map((id) => {
      const bootstrap = this.prng.pick(this.members())
      const host = this.add(id)
      host.join(bootstrap === undefined ? [] : [bootstrap])
      this.runUntil(() => host.node.ready, 60_000)
      return host
    })
  }

  living(): TestHost[] {
    return [...this.hosts.values()].filter((host) => host.alive)
  }

  members(): TestHost[] {
    return this.living().filter((host) => host.node.ready)
  }

  at(delayMs: Millis, run: () => void): void {
    const { heap } = this
    heap.push({ at: this.now + delayMs, order: this.order++, run })
    let child = heap.length - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!isBefore(heap[child]!, heap[parent]!)) break
      swap(heap, child, parent)
      child = parent
    }
  }

  run(forMs: Millis): void {
    this.runUntil(() => false, forMs)
  }

  /** Runs until `done`, for at most `forMs`; says whether it was done. */
  runUntil(done: () => boolean, forMs: Millis): boolean {
    const end = this.now + forMs
    while (!done()) {
      const next = this.heap[0]
      if (next === undefined || next.at > end) {
        this.now = end
        return done()
      }
      this.pop()
      this.now = next.at
      next.run()
    }
    return true
  }

  transmit(from: TestHost, to: NodeRef, message: Message, deliver: (host: TestHost) => void): void {
    this.sent++
    this.onSent(from.ref, to, message)
    const host = this.hosts.get(to.id)
    if (host === undefined || !host.alive || !this.reachable(from.ref, to) || to.epoch < host.ref.epoch) {
      if (this.tellsUnreachable) this.at(5, () => from.alive && from.node.onPeerDown(to, 'unreachable', this.now, from))
      return
    }
    if (this.loss > 0 && this.prng.chance(this.loss)) return
    this.at(this.latencyMs(from.ref, to), () => {
      if (!host.alive) return
      host.node.onContact(from.ref, this.now, host)
      deliver(host)
    })
  }

  /** Complaints about lists that are not what the members' ids make them; none when there is one ring and all are exact. */
  complaints(): string[] {
    const config = { ...chordDefaults, ...this.config }
    const ring = this.members().toSorted((a, b) => compareGuids(a.ref.id, b.ref.id))
    const beside = (at: number, step: number, most: number): Guid[] =>
      Array.from({ length: Math.min(most, ring.length - 1) }, (_, i) => ring.at((at + step * (i + 1)) % ring.length)!.ref.id)
    return ring.flatMap(({ node, ref }, at) => {
      const wrong = [
        ...(beside(at, 1, config.successors).join() === node.successors.map(({ id }) => id).join() ? [] : ['successors']),
        ...(beside(at, -1, config.predecessors).join() === node.predecessors.map(({ id }) => id).join() ? [] : ['predecessors']),
      ]
      return wrong.map((list) => `${ref.id.slice(0, 4)} has wrong ${list}`)
    })
  }

  /** The members that would deliver a message for `key`. */
  answering(key: Guid): TestHost[] {
    return this.members().filter(({ node }) => node.nextHop(key, 0, new Set()).action === 'deliver')
  }

  private pop(): void {
    const { heap } = this
    swap(heap, 0, heap.length - 1)
    heap.pop()
    let parent = 0
    for (;;) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child
      }
      if (least === parent) return
      swap(heap, parent, least)
      parent = least
    }
  }
}

/** One node with its sink. */
export class TestHost implements OverlayEffects {
  readonly ref: NodeRef
  readonly node: ChordNode
  readonly events: KbrEvent[] = []
  alive = true
  private readonly network: TestNetwork

  constructor(network: TestNetwork, ref: NodeRef, config: Partial<ChordConfig>) {
    this.network = network
    this.ref = ref
    const node: Overlay = chord(config).create(ref, network.prng.fork())
    this.node = node as ChordNode
  }

  join(bootstraps: readonly TestHost[]): void {
    this.node.join(
      bootstraps.map((host) => host.ref),
      this.network.now,
      this,
    )
  }

  leave(): void {
    this.node.leave(this.network.now, this)
    this.alive = false
  }

  crash(): void {
    this.alive = false
  }

  peerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.node.onPeerDown(peer, cause, this.network.now, this)
  }

  send(to: NodeRef, message: Message): void {
    this.network.transmit(this, to, message, (host) => host.node.onMessage(this.ref, message, this.network.now, host))
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.network.at(delayMs, () => this.alive && this.node.onTimer(kind, arg, this.network.now, this))
  }

  emit(event: KbrEvent): void {
    this.events.push(event)
  }

  route(key: Guid, payload: Uint8Array): void {
    this.walk(key, payload, 0, 0, new Set())
  }

  /** Hands it a message as if `from` had sent it. */
  take(from: NodeRef, message: Message): void {
    this.node.onContact(from, this.network.now, this)
    this.node.onMessage(from, message, this.network.now, this)
  }

  becameReady(): void {}
  neighborChanged(): void {}
  routesChanged(): void {}
  peerFailed(): void {}
  peerRecovered(): void {}

  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }

  /** One hop of a walk. A hop that is not there is noticed after 300 ms. */
  walk(key: Guid, payload: Uint8Array, hops: number, cursor: number, avoid: ReadonlySet<Guid>): void {
    const { node, network } = this
    if (hops > 32 || avoid.size > 8 || !this.alive) return
    const next = node.nextHop(key, cursor, avoid)
    if (next.action === 'hold') {
      network.at(500, () => this.walk(key, payload, hops + 1, cursor, new Set()))
      return
    }
    if (next.action === 'none') return
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
}

function isBefore(a: { at: Millis; order: number }, b: { at: Millis; order: number }): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order
}

function swap<T>(items: T[], i: number, j: number): void {
  const item = items[i]!
  items[i] = items[j]!
  items[j] = item
}
