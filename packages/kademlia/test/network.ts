import { compareByXor, randomGuid, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NextHop, NodeRef, OverlayEffects, PeerDownCause } from '@plaxton/kbr'
import { kademliaConfig } from '../src/config.ts'
import type { KademliaConfig } from '../src/index.ts'
import { kademliaDefaults, KademliaNode } from '../src/index.ts'

/** Kademlia nodes in virtual time. A message may be stopped by `passes`, to script what gets lost. */
export class TestNetwork {
  now: Millis = 0
  sent = 0
  /** Probability that a message is lost. */
  loss = 0
  /** False: lost. */
  passes: (from: NodeRef, to: NodeRef, message: Message) => boolean = () => true
  /** One way. */
  latencyMs: () => Millis
  /** Whether a refused connection is noticed, as on TCP. */
  tellsUnreachable = false
  onSend: (from: NodeRef, to: NodeRef, message: Message, arrives: boolean) => void = () => {}
  readonly prng: Prng
  readonly hosts = new Map<Guid, TestHost>()
  readonly config: Partial<KademliaConfig>
  private readonly agenda = new Map<Millis, Array<() => void>>()
  private readonly times: Millis[] = []

  constructor(seed: number | string, config: Partial<KademliaConfig> = {}) {
    this.prng = Prng.fromSeed(seed)
    this.config = config
    const jitter = this.prng.fork()
    this.latencyMs = () => 10 + jitter.nextInt(40)
  }

  /** A new node; it has not joined. */
  add(id: Guid = randomGuid(this.prng, 64), epoch = 1): TestHost {
    const host = new TestHost(this, { id, address: `test:${id}`, epoch })
    this.hosts.set(id, host)
    return host
  }

  /** `count` members, joined one after the other, or those with these ids. */
  grow(nodes: number | readonly Guid[]): TestHost[] {
    const ids = typeof nodes === 'number' ? Array.from({ length: nodes }, () => randomGuid(this.prng, 64)) : nodes
    return ids.map((id) => {
      const bootstrap = this.prng.pick(this.members())
      const host = this.add(id)
      host.join(bootstrap === undefined ? [] : [bootstrap])
      this.runUntil(() => host.node.ready, 60_000)
      return host
    })
  }

  members(): TestHost[] {
    return [...this.hosts.values()].filter((host) => host.alive && host.node.ready)
  }

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

  transmit(from: TestHost, to: NodeRef, message: Message): void {
    this.sent++
    const host = this.hosts.get(to.id)
    const isThere = host !== undefined && host.alive && to.epoch >= host.ref.epoch
    const arrives = isThere && this.passes(from.ref, to, message) && !(this.loss > 0 && this.prng.chance(this.loss))
    this.onSend(from.ref, to, message, arrives)
    if (!isThere && this.tellsUnreachable) this.at(5, () => from.alive && from.peerDown(to, 'unreachable'))
    if (arrives) this.at(this.latencyMs(), () => host.alive && host.take(from.ref, message))
  }

  /** Where a message for `key` ends that starts at `from`: the root; undefined when it waits somewhere. It goes round dead contacts, as the routing does after a timeout. */
  rootFor(key: Guid, from: TestHost): Guid | undefined {
    const dead = new Set<Guid>()
    let at = from
    for (let hops = 0; hops < 40; hops++) {
      const next: NextHop = at.node.nextHop(key, 0, dead)
      if (next.action === 'deliver') return at.ref.id
      if (next.action !== 'forward') return undefined
      const host = this.hosts.get(next.to.id)!
      if (host.alive) at = host
      else dead.add(host.ref.id)
    }
    throw new Error(`no end for ${key}`)
  }

  /** Complaints about sibling lists and buckets, by the ids of all members; none when all is right. */
  complaints(): string[] {
    const { siblingsSure, siblings } = { ...kademliaDefaults, ...this.config }
    const ids = this.members().map(({ ref }) => ref.id)
    return this.members().flatMap(({ node, ref }) => {
      const order = ids.filter((id) => id !== ref.id).sort((a, b) => compareByXor(a, b, ref.id))
      const last = order[siblingsSure - 2]
      const level = last === undefined ? 0 : sharedPrefixBits(last, ref.id)
      const group = order.filter((id) => sharedPrefixBits(id, ref.id) >= level).length
      const wanted = order.slice(0, Math.min(2 * siblings, Math.max(siblings, group)))
      const found = node.neighborSet(1_000).map(({ id }) => id)
      const ranges = new Set(order.map((id) => sharedPrefixBits(id, ref.id)))
      const empty = [...ranges].filter((range) => !node.bucket(range)?.contacts.some((contact) => ids.includes(contact.ref.id)))
      return [
        ...(wanted.join() === found.join() ? [] : [`${ref.id} has ${found.length} siblings, not the right ${wanted.length}`]),
        ...empty.map((range) => `${ref.id} has nobody in bucket ${range}`),
      ]
    })
  }
}

/** One node with its sink. */
export class TestHost implements OverlayEffects {
  readonly ref: NodeRef
  readonly node: KademliaNode
  readonly events: KbrEvent[] = []
  alive = true
  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })
  private readonly network: TestNetwork

  constructor(network: TestNetwork, ref: NodeRef) {
    this.network = network
    this.ref = ref
    this.node = new KademliaNode(ref, kademliaConfig(network.config), network.prng.fork())
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

  /** Hands it a message as if `from` had sent it. */
  take(from: NodeRef, message: Message): void {
    this.node.onContact(from, this.network.now, this)
    this.node.onMessage(from, message, this.network.now, this)
    this.node.assertInvariants()
  }

  send(to: NodeRef, message: Message): void {
    this.network.transmit(this, to, message)
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.network.at(delayMs, () => this.alive && this.node.onTimer(kind, arg, this.network.now, this))
  }

  emit(event: KbrEvent): void {
    this.events.push(event)
  }

  route(): void {
    throw new Error('Kademlia routes nothing of its own')
  }

  becameReady(): void {}
  neighborChanged(): void {}
  routesChanged(): void {}
  peerFailed(): void {}
  peerRecovered(): void {}
}
