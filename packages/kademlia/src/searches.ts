import { compareByXor, digitAt, randomGuid, withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { ClosestSearch } from '@plaxton/upkeep'
import { send } from './messages.ts'
import type { Nodes } from './messages.ts'
import type { KademliaState } from './state.ts'

/** What a search is for: the own place in the network, or contacts at one distance range. */
type SearchPurpose = { readonly type: 'join' } | { readonly type: 'refresh'; readonly level: number }

/** How a search went. */
export interface EndedSearch {
  readonly purpose: SearchPurpose
  /** Those that answered, the closest first, at most k. */
  readonly closest: readonly NodeRef[]
}

/**
 * The node's own iterative searches (IPTPS 2002, §2.3). Whoever answers is a contact from then on: that is how buckets are filled. Who does not answer in time is passed by
 * and not asked again.
 */
export class Searches {
  private readonly state: KademliaState
  /** Bound: `searchesMax`. Full: a refresh waits in {@link due}. */
  private readonly running = new Set<Running>()
  /** Questions under way, by number. Bound: alpha for each search. */
  private readonly queries = new Map<number, Query>()
  /** Levels to be searched, or being searched. Bound: the bits of an id. */
  private readonly due = new Set<number>()

  constructor(state: KademliaState) {
    this.state = state
  }

  /** Looks for the nodes closest to the own id. */
  join(contact: NodeRef, now: Millis, fx: OverlayEffects): EndedSearch[] {
    return this.start(this.state.self.id, [contact], { type: 'join' }, now, fx)
  }

  /** Looks for contacts that share `level` bits with this node, as soon as there is time. */
  refresh(level: number, now: Millis, fx: OverlayEffects): EndedSearch[] {
    if (this.due.has(level)) return []
    this.due.add(level)
    return this.startDue(now, fx)
  }

  /** An answer came. Returns the searches that end by it; undefined when it answers no question of a search. */
  answered(from: NodeRef, nodes: Nodes, now: Millis, fx: OverlayEffects): EndedSearch[] | undefined {
    const query = this.queries.get(nodes.seq)
    if (query === undefined || query.peer.id !== from.id) return undefined
    this.queries.delete(nodes.seq)
    this.state.noteRoundTrip(from.id, now - query.sentAt, fx)
    if (nodes.member) query.search.search.onAnswer(from.id, this.state.credible(nodes.refs, now))
    else query.search.search.onFailure(from.id)
    return this.advance(query.search, now, fx)
  }

  /** A wait is over. Returns the searches that end by it, and who did not answer. */
  expired(seq: number, now: Millis, fx: OverlayEffects): { readonly ended: EndedSearch[]; readonly silent: NodeRef | undefined } {
    const query = this.queries.get(seq)
    if (query === undefined) return { ended: [], silent: undefined }
    this.queries.delete(seq)
    query.search.search.onFailure(query.peer.id)
    return { ended: this.advance(query.search, now, fx), silent: query.peer }
  }

  /** The peer is gone: it will not answer. */
  drop(id: Guid, now: Millis, fx: OverlayEffects): EndedSearch[] {
    const ended: EndedSearch[] = []
    for (const [seq, { peer }] of [...this.queries]) if (peer.id === id) ended.push(...this.expired(seq, now, fx).ended)
    return ended
  }

  clear(): void {
    this.running.clear()
    this.queries.clear()
    this.due.clear()
  }

  private start(key: Guid, seeds: readonly NodeRef[], purpose: SearchPurpose, now: Millis, fx: OverlayEffects): EndedSearch[] {
    const { alpha, bucketSize } = this.state.config
    const compare = (a: Guid, b: Guid): number => compareByXor(a, b, key)
    const running = { key, purpose, search: new ClosestSearch(seeds, compare, { width: bucketSize, alpha, paths: 1 }) }
    this.running.add(running)
    return this.advance(running, now, fx)
  }

  private advance(running: Running, now: Millis, fx: OverlayEffects): EndedSearch[] {
    if (!this.running.has(running)) return []
    const { state } = this
    for (let peer = running.search.next(); peer !== undefined; peer = running.search.next()) {
      const seq = state.nextSeq()
      this.queries.set(seq, { search: running, peer, sentAt: now })
      send(peer, { type: 'find-node', seq, key: running.key, count: state.config.bucketSize, known: [], ...state.status }, fx)
      fx.startTimer('query', seq, this.waitMs(peer))
    }
    if (!running.search.done) return []
    this.running.delete(running)
    if (running.purpose.type === 'refresh') {
      this.due.delete(running.purpose.level)
      state.buckets.noteUse(running.purpose.level, now)
    }
    return [{ purpose: running.purpose, closest: running.search.closest }, ...this.startDue(now, fx)]
  }

  private startDue(now: Millis, fx: OverlayEffects): EndedSearch[] {
    const { state } = this
    const ended: EndedSearch[] = []
    for (const level of this.due) {
      if (this.running.size >= state.config.searchesMax) break
      if ([...this.running].some(({ purpose }) => purpose.type === 'refresh' && purpose.level === level)) continue
      const key = randomAtLevel(state, level)
      ended.push(...this.start(key, state.closest(key, state.config.bucketSize), { type: 'refresh', level }, now, fx))
    }
    return ended
  }

  private waitMs(peer: NodeRef): Millis {
    const { queryMs, probeTimeoutMinMs } = this.state.config
    const rttMs = this.state.proximity.of(peer.id)
    return rttMs === undefined ? queryMs : Math.min(queryMs, Math.max(probeTimeoutMinMs, Math.ceil(4 * rttMs)))
  }
}

interface Running {
  readonly key: Guid
  readonly purpose: SearchPurpose
  readonly search: ClosestSearch
}

interface Query {
  readonly search: Running
  readonly peer: NodeRef
  readonly sentAt: Millis
}

/** A random id that shares exactly `level` bits with this node. */
function randomAtLevel({ self, prng }: KademliaState, level: number): Guid {
  let id = randomGuid(prng, 4 * self.id.length)
  const whole = level >> 2
  id = (self.id.slice(0, whole) + id.slice(whole)) as Guid
  for (let bit = 4 * whole; bit < level; bit++) id = withDigit(id, bit, 1, digitAt(self.id, bit, 1))
  return withDigit(id, level, 1, 1 - digitAt(self.id, level, 1))
}
