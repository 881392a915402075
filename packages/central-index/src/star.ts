import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { PlaxtonError, assert } from '@plaxton/kbr'
import type { KeyRange, Message, MessageCodec, Millis, NextHop, NodeRef, Overlay, OverlayEffects, OverlayFactory } from '@plaxton/kbr'
import { WireError } from '@plaxton/wire'
import { maxServers } from './messages.ts'

/**
 * The overlay of a central index, which is none: every node knows the servers (the hubs) it was told of when it joined, and nobody else. It has no messages of
 * its own and repairs nothing. A hub is the root of whatever reaches it. It lets an application of key-based routing run where nothing is routed: servers and
 * clients talk directly.
 */
export function star({ hub }: { readonly hub: boolean }): OverlayFactory {
  return { name: 'star', create: (self) => new StarNode(self, hub) }
}

class StarNode implements Overlay {
  readonly name = 'star'
  readonly codec = noMessages
  readonly self: NodeRef
  private readonly hub: boolean
  private member = false
  /** The servers, this node not among them, ascending. At most {@link maxServers}; further ones are not taken. */
  private hubs: NodeRef[] = []

  constructor(self: NodeRef, hub: boolean) {
    this.self = self
    this.hub = hub
  }

  get ready(): boolean {
    return this.member
  }

  /** Whoever joins is a member at once: `bootstrap` are the servers, which may be down. */
  join(bootstrap: readonly NodeRef[], _now: Millis, fx: OverlayEffects): void {
    const wasMember = this.member
    this.member = true
    if (!wasMember) {
      fx.emit({ type: 'ready', elapsedMs: 0 })
      fx.becameReady()
    }
    for (const node of bootstrap) this.add(node, fx)
  }

  leave(): void {
    this.member = false
    this.hubs = []
  }

  neighborSet(num: number): NodeRef[] {
    return this.hubs.slice(0, num)
  }

  localLookup(_key: Guid, num: number): NodeRef[] {
    return this.hub ? [this.self].slice(0, num) : this.hubs.slice(0, num)
  }

  /** The hubs, in the order of their ids: the same for every key. */
  replicaSet(_key: Guid, maxRank: number): NodeRef[] {
    return this.roots().slice(0, maxRank)
  }

  range(node: NodeRef, rank: number): KeyRange | undefined {
    if (this.roots()[rank]?.id !== node.id) return undefined
    const zero = '0'.repeat(this.self.id.length) as Guid
    return { from: zero, to: zero }
  }

  nextHop(_key: Guid, _cursor: number, avoid: ReadonlySet<Guid>): NextHop {
    if (!this.member) return { action: 'hold' }
    if (this.hub) return { action: 'deliver' }
    const to = this.hubs.find(({ id }) => !avoid.has(id))
    return to === undefined ? { action: 'none' } : { action: 'forward', to, cursor: 0 }
  }

  onMessage(): void {
    assert(false, 'the star has no messages')
  }

  onTimer(): void {}
  onPeerDown(): void {}
  onContact(): void {}
  onRoundTrip(): void {}
  suspect(): void {}

  forwardOwn(): boolean {
    return true
  }

  assertInvariants(): void {
    assert(this.hubs.length <= maxServers, 'more hubs than there may be')
    assert(!this.hubs.some(({ id }) => id === this.self.id), 'a node is among its own hubs')
  }

  private roots(): NodeRef[] {
    return this.hub ? [...this.hubs, this.self].sort((a, b) => compareGuids(a.id, b.id)) : this.hubs
  }

  private add(node: NodeRef, fx: OverlayEffects): void {
    const isKnown = node.id === this.self.id || this.hubs.some(({ id }) => id === node.id)
    if (isKnown || this.hubs.length === maxServers) return
    this.hubs = [...this.hubs, node].sort((a, b) => compareGuids(a.id, b.id))
    fx.neighborChanged(node, true)
  }
}

/** There are none: whatever arrives as one is refused. */
const noMessages: MessageCodec = {
  encode: (message: Message) => {
    throw new PlaxtonError('InvariantError', 'ERR_INVARIANT', `the star sends no ${message.type}`)
  },
  decode: () => {
    throw new WireError('missing', 'Star', 'the star has no messages')
  },
}
