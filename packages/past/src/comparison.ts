import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Then } from './errands.ts'
import { includesOwnHost, isNeighbor, nodesAround, replicaSet } from './hosts.ts'
import { maxEntries, maxPages } from './messages.ts'
import type { Entry, Page, PastCall, PastMessage } from './messages.ts'
import { unreliable, widened } from './parts.ts'
import type { PastParts, Respond } from './parts.ts'
import { entryOf, isInPage } from './placement.ts'
import type { Placement } from './placement.ts'
import type { Repair } from './repair.ts'

type Compare = PastCall & { readonly type: 'compare' }
type Exchange = PastCall & { readonly type: 'exchange' }

/** What comparing works with, besides the parts of every exchange. */
export interface ComparisonParts extends PastParts {
  readonly placement: Placement
  readonly repair: Repair
}

/**
 * Finds out which records of those that this node and one neighbour should both hold are not the same on both:
 *
 *     compare   digest of all                     → buckets    nothing when equal, else the digests of 256 buckets
 *     exchange  entries of the differing buckets, → exchanged  entries that differ, or are missing here
 *               page by page
 *
 * Each side then copies from the other what it lacks. Equal neighbours cost one small message each way.
 */
export class Comparison {
  private readonly parts: ComparisonParts
  private readonly peer: NodeRef
  private readonly then: Then<void>
  private pages: Page[] = []

  constructor(parts: ComparisonParts, peer: NodeRef, then: Then<void>) {
    this.parts = parts
    this.peer = peer
    this.then = then
  }

  start(fx: AppEffects): void {
    const { digest, count } = this.parts.placement.sharedWith(this.peer.id, fx)
    this.ask({ type: 'compare', digest, count }, fx, (reply, now, effects) => {
      if (reply.type === 'buckets' && reply.digests.length > 0) this.onBuckets(reply.digests, now, effects)
      else this.then(undefined, now, effects)
    })
  }

  private onBuckets(theirs: readonly number[], now: Millis, fx: AppEffects): void {
    const { placement } = this.parts
    const differing = new Set<number>()
    placement.bucketDigests(this.peer.id, fx).forEach((digest, bucket) => {
      if (digest !== (theirs[bucket] ?? 0)) differing.add(bucket)
    })
    this.pages = [...placement.entriesIn(differing, this.peer.id, fx)].flatMap(([bucket, entries]) => pagesOf(bucket, entries))
    this.exchangeNext(now, fx)
  }

  private exchangeNext(now: Millis, fx: AppEffects): void {
    const pages = this.nextPages()
    if (pages.length === 0) return this.then(undefined, now, fx)
    this.ask({ type: 'exchange', pages, offers: [], without: [] }, fx, (reply, time, effects) => {
      if (reply.type !== 'exchanged') return this.then(undefined, time, effects)
      for (const entry of reply.entries) {
        if (mayShare(entry, this.peer, this.parts, effects)) wantIfMine(entry, this.peer, [], this.parts, time, effects)
      }
      this.exchangeNext(time, effects)
    })
  }

  /** As many of the pages left as fit into one message. */
  private nextPages(): Page[] {
    let entries = 0
    let count = 0
    for (const page of this.pages) {
      entries += page.entries.length
      if (count === maxPages || entries > maxEntries) break
      count++
    }
    return this.pages.splice(0, count)
  }

  /** A neighbour that does not answer ends the comparison; there will be another. */
  private ask(call: PastCall, fx: AppEffects, then: Then<PastMessage>): void {
    const { errands, config } = this.parts
    errands.request(this.peer, call, config.attemptMs, fx, (answered, now, effects) => {
      if (answered.ok) then(answered.message, now, effects)
      else this.then(undefined, now, effects)
    })
  }
}

/** The other side of `compare`. */
export function answerCompare(
  { digest, count }: Compare,
  from: NodeRef,
  parts: ComparisonParts,
  respond: Respond,
  now: Millis,
  fx: AppEffects,
): void {
  const shared = parts.placement.sharedWith(from.id, fx)
  const equal = shared.digest === digest && shared.count === count
  respond({ type: 'buckets', digests: equal ? [] : parts.placement.bucketDigests(from.id, fx) }, now, fx)
}

/** The other side of `exchange`: tells what it has otherwise or the asking node did not list, and sets out to copy what it lacks itself. */
export function answerExchange(
  { pages, offers, without }: Exchange,
  from: NodeRef,
  parts: ComparisonParts,
  respond: Respond,
  now: Millis,
  fx: AppEffects,
): void {
  const entries: Entry[] = []
  const held: Guid[] = []
  const compare = (entry: Entry): void => {
    const own = parts.shelf.get(entry.guid)
    if (own?.version === entry.version) return
    if (own !== undefined) entries.push(entryOf(own))
    wantIfMine(entry, from, without, parts, now, fx)
  }
  const own = parts.placement.entriesIn(new Set(pages.map((page) => page.bucket)), from.id, fx)
  for (const page of pages) {
    const listed = new Set(page.entries.map((entry) => entry.guid))
    for (const entry of page.entries) if (mayShare(entry, from, parts, fx)) compare(entry)
    for (const entry of own.get(page.bucket) ?? []) {
      if (!listed.has(entry.guid) && isInPage(entry.guid, page)) entries.push(entry)
    }
  }
  const isUnreliable = unreliable(parts, fx) !== undefined
  for (const offer of offers) {
    compare(offer)
    // Whoever offers drops what is held here. So this node must mean to keep it, and not rather give it back.
    if (parts.shelf.get(offer.guid)?.version !== offer.version || isUnreliable || !mayBelongHere(offer, from, without, parts, fx)) continue
    held.push(offer.guid)
    if (without.length > 0) parts.placement.pin(offer.guid, fx)
  }
  // What does not fit comes up again in the next comparison, when what fits has been copied.
  respond({ type: 'exchanged', entries: entries.slice(0, maxEntries), held, leaving: parts.isLeaving() }, now, fx)
}

/** True when an `exchange` lists more than any node sends at once. */
export function isOversized({ pages, offers }: Exchange): boolean {
  return pages.reduce((sum, page) => sum + page.entries.length, offers.length) > maxEntries
}

/** Copies a record from a node that has it, if this node has it otherwise or may belong to the object's replica set. */
function wantIfMine(entry: Entry, from: NodeRef, without: readonly Guid[], parts: ComparisonParts, now: Millis, fx: AppEffects): void {
  if (parts.shelf.get(entry.guid) !== undefined || mayBelongHere(entry, from, without, parts, fx)) parts.repair.want(entry, from, now, fx)
}

/** False for what a node lists as shared with this one and is too far from: views differ by a few nodes, hence twice the replica set. */
function mayShare({ guid, replicas }: Entry, peer: NodeRef, { config }: ComparisonParts, fx: AppEffects): boolean {
  const count = widened(Math.min(replicas, config.maxReplicas))
  const around = nodesAround(guid, count, fx)
  return around.length < count || around.some((node) => sameNode(node, peer))
}

function mayBelongHere(
  { guid, replicas }: Entry,
  from: NodeRef,
  without: readonly Guid[],
  { config }: ComparisonParts,
  fx: AppEffects,
): boolean {
  const count = Math.min(replicas, config.maxReplicas)
  return mayBelongTo(replicaSetWithout(without, guid, count, fx), count, from, fx)
}

/**
 * True when this node is one of the `count` closest, or may be: a set cut short lies at the edge of this node's view, which then cannot
 * tell. An empty one lies beyond it: then only a neighbour can be right about it, and only where nodes share hosts, for it may take many to name enough of these. False when
 * another node of this host stands for it.
 */
export function mayBelongTo(set: readonly NodeRef[], count: number, from: NodeRef, fx: AppEffects): boolean {
  if (set.some((node) => sameNode(node, fx.self))) return true
  if (set.length >= count || includesOwnHost(set, fx)) return false
  return set.length > 0 || (fx.hostOf !== undefined && isNeighbor(from, fx))
}

/** The nodes an object belongs on once those of `without` are gone. */
export function replicaSetWithout(without: readonly Guid[], guid: Guid, replicas: number, fx: AppEffects): NodeRef[] {
  const set = replicaSet(guid, replicas + without.length, fx).filter((node) => !without.includes(node.id))
  return set.slice(0, replicas)
}

/** One bucket's entries in pages that fit into a message each; one page even when there are none, to learn what the other has. */
function pagesOf(bucket: number, entries: readonly Entry[]): Page[] {
  const pages: Page[] = []
  let start = 0
  do {
    const end = Math.min(start + maxEntries, entries.length)
    pages.push({ bucket, after: entries[start - 1]?.guid, last: end === entries.length, entries: entries.slice(start, end) })
    start = end
  } while (start < entries.length)
  return pages
}
