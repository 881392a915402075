import { digitAt, randomGuid, sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NextHop, NodeRef, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import type { TapestryConfig, TapestryNode } from '../src/index.ts'
import { tapestryDefaults } from '../src/index.ts'
import { tapestryConfig } from '../src/config.ts'
import { TapestryNode as Node } from '../src/tapestry-node.ts'

/**
 * Tapestry nodes in virtual time, with just enough walking to carry their insertions. The real walking is tested with the simulator. A message may be
 * stopped by `passes`, to script what gets lost or late.
 */
export class TestNetwork {
  now: Millis = 0
  sent = 0
  /** Probability that a message is lost. */
  loss = 0
  /** False: lost. */
  passes: (from: NodeRef, to: NodeRef, message: Message) => boolean = () => true
  /** One way. */
  latencyMs: (from: NodeRef, to: NodeRef, message: Message) => Millis
  /** Whether a refused connection is noticed, as on TCP. */
  tellsUnreachable = false
  readonly prng: Prng
  readonly hosts = new Map<Guid, TestHost>()
  readonly config: Partial<TapestryConfig>
  private readonly agenda = new Map<Millis, Array<() => void>>()
  private times: Millis[] = []

  constructor(seed: number | string, config: Partial<TapestryConfig> = {}) {
    this.prng = Prng.fromSeed(seed)
    this.config = config
    const jitter = this.prng.fork()
    this.latencyMs = () => 10 + jitter.nextInt(40)
  }

  /** A new node; it has not joined. */
  add(id: Guid = randomGuid(this.prng, 128), epoch = 1): TestHost {
    const host = new TestHost(this, { id, address: `test:${id}`, epoch })
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

  /** Those that stay. */
  living(): TestHost[] {
    return [...this.hosts.values()].filter((host) => host.alive && !host.leaving)
  }

  members(): TestHost[] {
    return this.living().filter((host) => host.node.ready)
  }

  /** Nothing more to do at once: what is under way has arrived, apart from timers. */
  run(forMs: Millis): void {
    this.runUntil(() => false, forMs)
  }

  /** Runs until `done`, for at most `forMs`; says whether it was done. */
  runUntil(done: () => boolean, forMs: Millis): boolean {
    const end = this.now + forMs
    while (!done()) {
      const next = this.times[0]
      if (next === undefined || next > end) {
        this.now = end
        return done()
      }
      this.now = next
      const due = this.agenda.get(next)!
      due.shift()!()
      if (due.length > 0) continue
      this.agenda.delete(next)
      this.times.shift()
    }
    return true
  }

  at(delayMs: Millis, run: () => void): void {
    const time = this.now + delayMs
    const due = this.agenda.get(time)
    if (due !== undefined) return void due.push(run)
    this.agenda.set(time, [run])
    let low = 0
    let high = this.times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.times[middle]! < time) low = middle + 1
      else high = middle
    }
    this.times.splice(low, 0, time)
  }

  transmit(from: TestHost, to: NodeRef, message: Message, deliver: (host: TestHost) => void): void {
    this.sent++
    const host = this.hosts.get(to.id)
    if (host === undefined || !host.alive || to.epoch < host.ref.epoch) {
      if (this.tellsUnreachable) this.at(5, () => from.alive && from.peerDown(to, 'unreachable'))
      return
    }
    if (!this.passes(from.ref, to, message) || (this.loss > 0 && this.prng.chance(this.loss))) return
    this.at(this.latencyMs(from.ref, to, message), () => {
      if (!host.alive) return
      host.node.onContact(from.ref, this.now, host)
      deliver(host)
      host.goWhenRetired()
    })
  }

  /** Where a message for `key` ends that starts at `from`: the root; undefined when it waits somewhere. */
  rootFor(key: Guid, from: TestHost): Guid | undefined {
    let at = from
    let cursor = 0
    for (let hops = 0; hops < 40; hops++) {
      const next: NextHop = at.node.nextHop(key, cursor, new Set())
      if (next.action === 'deliver') return at.ref.id
      if (next.action !== 'forward') return undefined
      const host = this.hosts.get(next.to.id)!
      if (!host.alive) return undefined
      at = host
      cursor = next.cursor
    }
    throw new Error(`no end for ${key}`)
  }

  /** Complaints about false holes and sibling groups, by the ids of all members; none when all is right. */
  complaints(): string[] {
    const config = { ...tapestryDefaults, ...this.config }
    const ids = this.members().map(({ ref }) => ref.id)
    return this.members().flatMap((host) => [...holesOf(host, ids, config.digitBits), ...groupOf(host, ids, config)])
  }
}

/** One node with its sink. */
export class TestHost implements OverlayEffects {
  readonly ref: NodeRef
  readonly node: TapestryNode
  readonly events: KbrEvent[] = []
  readonly neighbors: string[] = []
  routeChanges = 0
  alive = true
  leaving = false
  /** Walks that wait. */
  private readonly held = new Set<() => void>()
  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })
  private readonly network: TestNetwork

  constructor(network: TestNetwork, ref: NodeRef) {
    this.network = network
    this.ref = ref
    this.node = new Node(ref, tapestryConfig(network.config), network.prng.fork())
  }

  join(bootstraps: readonly TestHost[]): void {
    this.node.join(
      bootstraps.map((host) => host.ref),
      this.network.now,
      this,
    )
  }

  /** It goes when the others have confirmed. */
  leave(): void {
    this.leaving = true
    this.node.retire(this.network.now, this)
    this.goWhenRetired()
  }

  goWhenRetired(): void {
    if (!this.leaving || !this.alive || !this.node.retired || this.held.size > 0) return
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

  route(key: Guid, payload: Uint8Array): void {
    this.walk(key, payload, 0, 0, new Set())
  }

  becameReady(): void {}
  peerFailed(): void {}

  peerRecovered(): void {
    for (const again of [...this.held]) this.network.at(0, again)
  }

  neighborChanged(node: NodeRef, joined: boolean): void {
    this.neighbors.push(`${joined ? '+' : '-'}${node.id}`)
  }

  routesChanged(): void {
    this.routeChanges++
  }

  /** Goes on when the overlay has learnt something, or after a while. */
  private hold(goOn: () => void): void {
    const again = (): void => {
      if (!this.held.delete(again)) return
      goOn()
      this.goWhenRetired()
    }
    this.held.add(again)
    this.network.at(500, again)
  }

  /** One hop of a walk. A hop that is not there is noticed after 300 ms. */
  private walk(key: Guid, payload: Uint8Array, hops: number, cursor: number, avoid: ReadonlySet<Guid>): void {
    const { node, network } = this
    if (hops > 32 || avoid.size > 8 || !this.alive) return
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
}

function holesOf({ ref, node }: TestHost, ids: readonly Guid[], digitBits: number): string[] {
  return ids.flatMap((id) => {
    if (id === ref.id) return []
    const level = sharedPrefixDigits(id, ref.id, digitBits)
    const slot = node.slot(level, digitAt(id, level, digitBits))
    return slot.some((other) => ids.includes(other.id)) ? [] : [`${ref.id.slice(0, 6)} has a hole for ${id.slice(0, 6)}`]
  })
}

/** Siblings, and whoever has this node as a sibling. */
function groupOf({ ref, node }: TestHost, ids: readonly Guid[], { digitBits, siblingsMin }: TapestryConfig): string[] {
  const shares = (id: Guid, other: Guid): number => sharedPrefixDigits(id, other, digitBits)
  const levelOf = (id: Guid): number => {
    let level = 0
    while (ids.filter((other) => shares(id, other) > level).length >= siblingsMin) level++
    return level
  }
  const own = levelOf(ref.id)
  const found = new Set(node.neighborSet(Infinity).map(({ id }) => id))
  const wanted = ids.filter((id) => id !== ref.id && (shares(id, ref.id) >= own || shares(id, ref.id) >= levelOf(id)))
  const missing = wanted.filter((id) => !found.has(id)).length
  const surplus = [...found].filter((id) => !wanted.includes(id)).length
  return missing + surplus === 0 ? [] : [`${ref.id.slice(0, 6)} misses ${missing} neighbours and has ${surplus} too many`]
}
