import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Then } from './errands.ts'
import { byOwnDistance } from './locate-command.ts'
import type { Candidate } from './messages.ts'
import type { DolrParts } from './parts.ts'

/**
 * Puts hosts in order when there are more than needed: nearest to this node first.
 *
 * Those never measured are pinged, all at once, so whoever answers first is the nearest of them; a measured one counts as answering when its round trip has
 * passed. As soon as as many have answered as are needed, that is the order.
 */
export class Choice {
  private readonly parts: DolrParts
  private readonly guid: Guid
  private readonly hosts: readonly Candidate[]
  private readonly needed: number
  private readonly then: Then<NodeRef[]>
  /** In the order they answered. */
  private readonly near: NodeRef[] = []
  /** Pinged, and dead or no longer a host. */
  private readonly useless = new Set<Guid>()
  private open = 0
  private over = false

  constructor(parts: DolrParts, guid: Guid, hosts: readonly Candidate[], needed: number, then: Then<NodeRef[]>) {
    this.parts = parts
    this.guid = guid
    this.hosts = hosts
    this.needed = needed
    this.then = then
  }

  /** `onMeasuring` is called when there is something to measure. */
  begin(now: Millis, fx: AppEffects, onMeasuring: (detail: string) => void): void {
    const { errands, config } = this.parts
    const unmeasured = this.hosts
      .filter(({ node }) => node.id !== fx.self.id && fx.roundTripMs(node) === undefined)
      .slice(0, config.pingsMax)
    if (this.hosts.length <= this.needed || unmeasured.length === 0) return this.end(now, fx)
    onMeasuring(`pinging ${unmeasured.length} of ${this.hosts.length} hosts`)
    for (const { node } of this.hosts) {
      const ms = fx.roundTripMs(node)
      if (ms !== undefined && ms < config.pingMs) errands.later(Math.ceil(ms), fx, (_, time, effects) => this.onNear(node, time, effects))
    }
    this.open = unmeasured.length
    for (const { node } of unmeasured) {
      errands.request(node, { type: 'ping', guid: this.guid, id: 0 }, config.pingMs, fx, (answered, time, effects) => {
        this.open--
        if (answered.ok && answered.message.type === 'pong' && answered.message.hosts) return this.onNear(node, time, effects)
        this.useless.add(node.id)
        if (this.open === 0) this.end(time, effects)
      })
    }
  }

  private onNear(node: NodeRef, now: Millis, fx: AppEffects): void {
    this.near.push(node)
    if (this.near.length >= this.needed || this.open === 0) this.end(now, fx)
  }

  private end(now: Millis, fx: AppEffects): void {
    if (this.over) return
    this.over = true
    const rest = byOwnDistance(this.hosts, fx).map(({ node }) => node)
    // Those that seem useless come last: this node's word for it is one ping.
    const last = rest.filter(({ id }) => this.useless.has(id))
    const order = [...this.near, ...rest.filter(({ id }) => !this.useless.has(id)), ...last]
    this.then([...new Map(order.map((node) => [node.id, node])).values()], now, fx)
  }
}
