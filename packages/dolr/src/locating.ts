import { shortGuid } from '@plaxton/guid'
import type { AppEffects, ForwardDecision, Millis, NodeRef, RoutedMessage } from '@plaxton/kbr'
import { encodeMessage } from './codec.ts'
import { maxHosts } from './messages.ts'
import type { Candidate, LocateCall } from './messages.ts'
import { respond } from './parts.ts'
import type { DolrParts } from './parts.ts'
import { distanceTo } from './pointers.ts'
import { maxRoots, rootKey } from './records.ts'
import type { Suspects } from './suspects.ts'

/**
 * Answers searches that pass: a node that knows of enough hosts, together with those before it on the way, says which; one that knows fewer adds them and lets the
 * search go on; the root says what there is. What has expired or been withdrawn stops nobody.
 */
export class Locating {
  private readonly parts: DolrParts
  private readonly suspects: Suspects

  constructor(parts: DolrParts, suspects: Suspects) {
    this.parts = parts
    this.suspects = suspects
  }

  onPassing(message: RoutedMessage, call: LocateCall, nextHop: NodeRef | undefined, now: Millis, fx: AppEffects): ForwardDecision {
    const { key, reply } = message
    if (call.salt >= maxRoots || rootKey(call.guid, call.salt) !== key)
      return { action: 'reject', reason: `${shortGuid(key)} is not the root key of ${shortGuid(call.guid)} with salt ${call.salt}` }
    const found = this.gather(call, now, fx)
    if (found.length < Math.min(Math.max(1, call.wanted), maxHosts)) {
      if (nextHop !== undefined && found.length > call.found.length)
        return { action: 'replace', payload: encodeMessage({ ...call, found }) }
      return { action: 'continue' }
    }
    respond(reply, { type: 'found', hosts: found, by: fx.self, root: nextHop === undefined }, fx)
    return { action: 'stop' }
  }

  /** This node is the root, and there are fewer than wanted. */
  onDelivered({ reply }: RoutedMessage, call: LocateCall, now: Millis, fx: AppEffects): void {
    const hosts = this.gather(call, now, fx)
    if (hosts.length === 0) respond(reply, { type: 'absent', root: fx.self }, fx)
    else respond(reply, { type: 'found', hosts, by: fx.self, root: true }, fx)
  }

  /** The hosts found before on the way and those known here, at most {@link maxHosts}. */
  private gather({ guid, excluded, found }: LocateCall, now: Millis, fx: AppEffects): readonly Candidate[] {
    const pointers = this.parts.pointers.live(guid, now, fx)
    if (pointers.length === 0) return found
    const ruledOut = new Set(excluded)
    for (const pointer of pointers) if (ruledOut.has(pointer.record.host.id)) this.suspects.suspect(pointer, now, fx)
    for (const { node } of found) ruledOut.add(node.id)
    const here = pointers
      .filter(({ record }) => !ruledOut.has(record.host.id))
      .map((pointer) => ({ node: pointer.record.host, distanceMs: distanceTo(pointer, fx) }))
    return [...found, ...here].slice(0, maxHosts)
  }
}
