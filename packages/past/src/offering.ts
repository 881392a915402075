import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { ComparisonParts } from './comparison.ts'
import type { Then } from './errands.ts'
import { maxEntries } from './messages.ts'
import type { Entry, PastMessage } from './messages.ts'
import { entryOf } from './placement.ts'
import type { Placed } from './placement.ts'
import type { Held } from './shelf.ts'

/**
 * Offers records that should be elsewhere to all nodes of their replica sets. `then` gets those that every one of these nodes says it
 * holds durably in the very same version; the others copy what they lack, and will say so when asked again.
 */
export class Offering {
  private readonly parts: ComparisonParts
  private readonly records: readonly Placed[]
  private readonly without: readonly Guid[]
  private readonly onLeaver: (node: NodeRef) => void
  private readonly then: Then<readonly Held[]>
  /** How many nodes must still confirm, by record. */
  private readonly missing = new Map<Guid, number>()
  private open = 0

  constructor(
    parts: ComparisonParts,
    records: readonly Placed[],
    options: { readonly without: readonly Guid[]; readonly onLeaver: (node: NodeRef) => void },
    then: Then<readonly Held[]>,
  ) {
    this.parts = parts
    this.records = records
    this.without = options.without
    this.onLeaver = options.onLeaver
    this.then = then
  }

  start(now: Millis, fx: AppEffects): void {
    const byNode = new Map<Guid, { node: NodeRef; entries: Entry[] }>()
    for (const { held, nodes } of this.records) {
      // Nobody to give it to is not the same as everybody having it.
      this.missing.set(held.guid, nodes.length === 0 ? Infinity : nodes.length)
      for (const node of nodes) {
        const entries = byNode.get(node.id)?.entries ?? []
        entries.push(entryOf(held))
        byNode.set(node.id, { node, entries })
      }
    }
    for (const { node, entries } of byNode.values()) {
      for (let i = 0; i < entries.length; i += maxEntries) this.offer(node, entries.slice(i, i + maxEntries), fx)
    }
    if (this.open === 0) this.then([], now, fx)
  }

  private offer(node: NodeRef, offers: readonly Entry[], fx: AppEffects): void {
    const { errands, config } = this.parts
    this.open++
    errands.request(
      node,
      { type: 'exchange', pages: [], offers, without: this.without },
      config.attemptMs,
      fx,
      (answered, now, effects) => {
        if (answered.ok) this.onReply(node, answered.message, now, effects)
        if (--this.open === 0) this.end(now, effects)
      },
    )
  }

  private onReply(node: NodeRef, reply: PastMessage, now: Millis, fx: AppEffects): void {
    if (reply.type !== 'exchanged') return
    if (reply.leaving) this.onLeaver(node)
    for (const guid of new Set(reply.held)) this.missing.set(guid, (this.missing.get(guid) ?? Infinity) - 1)
    // The node has these otherwise: what it knows belongs into the version that all are to hold.
    for (const entry of reply.entries) {
      const offered = this.missing.has(entry.guid) && this.parts.shelf.get(entry.guid) !== undefined
      if (offered) this.parts.repair.want(entry, node, now, fx)
    }
  }

  private end(now: Millis, fx: AppEffects): void {
    const records = this.records.map(({ held }) => held)
    const confirmed = records.filter(
      (held) => this.missing.get(held.guid) === 0 && this.parts.shelf.get(held.guid)?.version === held.version,
    )
    this.then(confirmed, now, fx)
  }
}
