import { withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { DolrConfig } from './config.ts'
import { tell } from './parts.ts'
import type { SignedRecord } from './records.ts'

/**
 * Pointers beside the way, for those who look for an object that is near to them (JSAC 2004, §V-C): at each of the first m hops also on k backups of
 * the next hop and on the l nodes nearest to this one, at the host of all, on hop i of those that share i digits with the node there: others are seldom on
 * anybody's way.
 */
export class NearPointers {
  private readonly config: DolrConfig

  constructor(config: DolrConfig) {
    this.config = config
  }

  copy(record: SignedRecord, { key, nextHop, hops }: Step, distanceMs: Millis, fx: AppEffects): void {
    const { nearBackups, nearNeighbors } = this.config
    const backups = fx
      .localLookup(key, nearBackups + 1, false)
      .filter((node) => !sameNode(node, nextHop))
      .slice(0, nearBackups)
    const targets = new Map([...backups, ...nearest(nearNeighbors, hops, fx)].map((node) => [node.id, node]))
    targets.delete(fx.self.id)
    targets.delete(nextHop.id)
    targets.delete(record.host.id)
    for (const node of targets.values())
      tell(node, { type: 'copy', records: [record], distanceMs: distanceMs + (fx.roundTripMs(node) ?? 0) }, fx)
  }
}

/** Where the way goes on from here. */
interface Step {
  readonly key: Guid
  readonly nextHop: NodeRef
  /** So many hops from the host. */
  readonly hops: number
}

/**
 * The nodes nearest to this one that share so many digits with it, as far as it has measured; then the others, in the order in which the overlay names them. An
 * overlay that minds proximity knows near nodes for each next digit; so those are the candidates.
 */
function nearest(count: number, digits: number, fx: AppEffects): NodeRef[] {
  if (count === 0 || digits >= fx.self.id.length) return []
  const found = new Map<Guid, { node: NodeRef; ms: Millis }>()
  for (let digit = 0; digit < 16; digit++) {
    for (const node of fx.localLookup(withDigit(fx.self.id, digits, 4, digit), 2, false)) {
      found.set(node.id, { node, ms: fx.roundTripMs(node) ?? Infinity })
    }
  }
  return [...found.values()]
    .sort((a, b) => (a.ms === b.ms ? 0 : a.ms - b.ms))
    .slice(0, count)
    .map(({ node }) => node)
}
