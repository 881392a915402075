import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { CanNode } from '../src/can-node.ts'
import { canConfig } from '../src/config.ts'
import type { CanConfig } from '../src/config.ts'
import { volumeOf } from '../src/zone.ts'

/** CAN nodes in virtual time, with just enough walking to carry their joins. The real walking is tested with the simulator. */
export class TestNetwork {
  now: Millis = 0
  readonly prng: Prng
  readonly hosts = new Map<Guid, TestHost>()
  readonly config: Partial<CanConfig>
  /** False: the message is lost. */
  passes: (from: NodeRef, to: NodeRef, message: Message) => boolean = () => true
  onSent: (from: NodeRef, to: NodeRef, message: Message) => void = () => {}
  private readonly idBits: number
  private readonly agenda: Array<{ readonly at: Millis; readonly run: () => void }> = []

  constructor(seed: number | string, config: Partial<CanConfig> = {}, idBits = 64) {
    this.prng = Prng.fromSeed(seed)
    this.config = config
    this.idBits = idBits
  }

  add(id: Guid = randomGuid(this.prng, this.idBits), epoch = 1): TestHost {
    const host = new TestHost(this, { id, address: `test:${id}`, epoch })
    this.hosts.set(id, host)
    return host
  }

  /** Members that joined one after the other: so many, or those with these ids. */
  grow(nodes: number | readonly Guid[]): TestHost[] {
    const ids = typeof nodes === 'number' ? Array.from({ length: nodes }, () => randomGuid(this.prng, this.idBits)) : nodes
    return ids.map((id) => {
      const bootstrap = this.prng.pick(this.members())
      const host = this.add(id)
      host.join(bootstrap === undefined ? [] : [bootstrap.ref])
      this.runUntil(() => host.node.ready, 60_000)
      return host
    })
  }

  living(): TestHost[] {
    return [...this.hosts.values()].filter(({ alive }) => alive)
  }

  members(): TestHost[] {
    return this.living().filter(({ node }) => node.ready)
  }

  /** What the members' zones add up to; 1 when they tile the space, or overlap as much as they leave out. */
  volume(): number {
    return this.members().reduce((sum, { node }) => sum + node.zones.reduce((own, zone) => own + volumeOf(zone), 0), 0)
  }

  run(forMs: Millis): void {
    this.runUntil(() => false, forMs)
  }

  runUntil(done: () => boolean, forMs: Millis): boolean {
    const end = this.now + forMs
    while (!done()) {
      const next = this.agenda[0]
      if (next === undefined || next.at > end) {
        this.now = end
        return done()
      }
      this.agenda.shift()
      this.now = next.at
      next.run()
    }
    return true
  }

  at(delayMs: Millis, run: () => void): void {
    const at = this.now + delayMs
    let place = this.agenda.length
    while (place > 0 && this.agenda[place - 1]!.at > at) place--
    this.agenda.splice(place, 0, { at, run })
  }

  transmit(from: TestHost, to: NodeRef, message: Message, deliver: (host: TestHost) => void): void {
    this.onSent(from.ref, to, message)
    const host = this.hosts.get(to.id)
    if (host === undefined || !host.alive || to.epoch < host.ref.epoch || !this.passes(from.ref, to, message)) return
    this.at(10, () => {
      if (!host.alive) return
      host.node.onContact(from.ref, this.now, host)
      deliver(host)
    })
  }
}

/** One node with its sink. */
export class TestHost implements OverlayEffects {
  readonly ref: NodeRef
  readonly node: CanNode
  readonly events: KbrEvent[] = []
  alive = true
  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })
  private readonly network: TestNetwork

  constructor(network: TestNetwork, ref: NodeRef) {
    this.network = network
    this.ref = ref
    this.node = new CanNode(ref, canConfig(network.config), network.prng.fork())
  }

  join(bootstraps: readonly NodeRef[]): void {
    this.node.join(bootstraps, this.network.now, this)
  }

  leave(): void {
    this.node.leave(this.network.now, this)
    this.alive = false
  }

  crash(): void {
    this.alive = false
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
      if (this.alive) this.node.onTimer(kind, arg, this.network.now, this)
    })
  }

  emit(event: KbrEvent): void {
    this.events.push(event)
  }

  route(key: Guid, payload: Uint8Array): void {
    this.walk(key, payload, 0)
  }

  becameReady(): void {}
  peerFailed(): void {}
  peerRecovered(): void {}
  neighborChanged(): void {}
  routesChanged(): void {}

  private walk(key: Guid, payload: Uint8Array, hops: number): void {
    const { node, network } = this
    if (hops > 40 || !this.alive) return
    const next = node.nextHop(key, 0, new Set())
    if (next.action === 'hold') return network.at(500, () => this.walk(key, payload, hops + 1))
    const to = next.action === 'forward' ? next.to : undefined
    if (!node.forwardOwn(key, payload, hops, to, network.now, this) || to === undefined) return
    network.transmit(this, to, { type: 'route' }, (host) => host.walk(key, payload, hops + 1))
  }
}
