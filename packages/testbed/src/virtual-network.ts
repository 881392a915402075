import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Message, Millis, NodeRef, Overlay } from '@plaxton/kbr'
import { Agenda } from './agenda.ts'
import { VirtualHost } from './virtual-host.ts'

/**
 * The nodes of one overlay in virtual time, with just enough walking to carry what they route themselves. All is decided by the seed and by what a test
 * scripts: who is lost, late or cut off. The real walking, services and faults of machines are the business of `@plaxton/simulator`.
 */
export abstract class VirtualNetwork<Node extends Overlay> extends Agenda {
  /** Messages so far. */
  sent = 0
  /** Probability that a message is lost. */
  loss = 0
  /** False: lost. */
  passes: (from: NodeRef, to: NodeRef, message: Message) => boolean = () => true
  /** Told of every message; a hop of a walk is one of type `route`. */
  onSent: (from: NodeRef, to: NodeRef, message: Message, arrives: boolean) => void = () => {}
  /** One way. */
  latencyMs: (from: NodeRef, to: NodeRef, message: Message) => Millis
  /** Whether an attempt to reach a dead node is refused, as on TCP. */
  tellsUnreachable = false
  readonly prng: Prng
  readonly hosts = new Map<Guid, VirtualHost<Node>>()
  private readonly create: (self: NodeRef, prng: Prng) => Node
  private readonly idBits: number

  constructor(seed: number | string, create: (self: NodeRef, prng: Prng) => Node, idBits: number) {
    super()
    this.prng = Prng.fromSeed(seed)
    this.create = create
    this.idBits = idBits
    const jitter = this.prng.fork()
    this.latencyMs = () => 10 + jitter.nextInt(40)
  }

  /** What is wrong with the tables of the members, judged by the ids of all; nothing when all is right. */
  abstract complaints(): string[]

  /** A new node; it has not joined. */
  add(id: Guid = randomGuid(this.prng, this.idBits), epoch = 1): VirtualHost<Node> {
    const ref = { id, address: `test:${id}`, epoch }
    const host = new VirtualHost(this, ref, this.create(ref, this.prng.fork()))
    this.hosts.set(id, host)
    return host
  }

  /** Members that joined one after the other: so many, or those with these ids. */
  grow(nodes: number | readonly Guid[]): VirtualHost<Node>[] {
    const ids = typeof nodes === 'number' ? Array.from({ length: nodes }, () => randomGuid(this.prng, this.idBits)) : nodes
    return ids.map((id) => {
      const bootstrap = this.prng.pick(this.members())
      const host = this.add(id)
      host.join(bootstrap === undefined ? [] : [bootstrap])
      this.runUntil(() => host.node.ready, 60_000)
      return host
    })
  }

  /** Those that neither have gone nor are going. */
  living(): VirtualHost<Node>[] {
    return [...this.hosts.values()].filter((host) => host.alive && !host.leaving)
  }

  members(): VirtualHost<Node>[] {
    return this.living().filter((host) => host.node.ready)
  }

  /** The members that would deliver a message for `key`. */
  answering(key: Guid): VirtualHost<Node>[] {
    return this.members().filter(({ node }) => node.nextHop(key, 0, new Set()).action === 'deliver')
  }

  /**
   * Where a message for `key` that starts at `from` and goes by none of `avoid` ends: the root; undefined when it waits somewhere or goes to a dead node.
   */
  rootFor(key: Guid, from: VirtualHost<Node>, avoid: ReadonlySet<Guid> = new Set()): Guid | undefined {
    let at = from
    let cursor = 0
    for (let hops = 0; hops < 40; hops++) {
      const next = at.node.nextHop(key, cursor, avoid)
      if (next.action === 'deliver') return at.ref.id
      if (next.action !== 'forward') return undefined
      at = this.hosts.get(next.to.id)!
      if (!at.alive) return undefined
      cursor = next.cursor
    }
    throw new Error(`no end for ${key}`)
  }

  /** For the hosts: a message on its way. */
  transmit(from: VirtualHost<Node>, to: NodeRef, message: Message, deliver: (host: VirtualHost<Node>) => void): void {
    this.sent++
    const host = this.hosts.get(to.id)
    const isThere = host !== undefined && host.alive && to.epoch >= host.ref.epoch
    const arrives = isThere && this.passes(from.ref, to, message) && !(this.loss > 0 && this.prng.chance(this.loss))
    this.onSent(from.ref, to, message, arrives)
    if (!isThere && this.tellsUnreachable) this.at(5, () => from.alive && from.peerDown(to, 'unreachable'))
    if (!arrives) return
    this.at(this.latencyMs(from.ref, to, message), () => {
      if (!host.alive) return
      host.node.onContact(from.ref, this.now, host)
      deliver(host)
      host.goWhenRetired()
    })
  }
}
