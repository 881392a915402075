import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { JoinRounds } from '@plaxton/upkeep'
import type { Inquiries } from './inquiries.ts'
import type { EndedSearch, Searches } from './searches.ts'
import type { KademliaState } from './state.ts'

/**
 * How a node becomes a member: the paper's lookup of the own id, made consistent as in MSPastry (DSN 2004). Several attempts, each by another bootstrap node, each in these
 * phases:
 *
 *     searching ──closest found──▶ confirming ──all answered──▶ claiming ──all agreed──▶ member
 *         ▲            │ nobody         │ nobody answered            │
 *         └─ pausing ◀─┴────────────────┴────────────────────────────┘
 *
 * - *searching*: FIND_NODE for the own id, from the bootstrap node on.
 * - *confirming*: it asks everybody who may belong into its sibling list whom they know near it, and whoever they name, until nobody new comes up. So far
 *   nobody counts it as a member: if it dies now, no key is without a root for a moment.
 * - *claiming*: it asks them all once more, now as one that counts. Whoever has answered sends it the keys that are its own from now on; it holds them until all have
 *   answered. Everybody who loses keys to it is among them, so at no time do two nodes deliver for one key. Two that join at the same time have siblings in common,
 *   and the later claim learns of the earlier from them.
 *
 * When everybody is joining, somebody has to begin: {@link JoinRounds}.
 */
export class Join {
  readonly startedAt: Millis
  private readonly state: KademliaState
  private readonly inquiries: Inquiries
  private readonly searches: Searches
  private readonly rounds: JoinRounds
  private phase: 'pausing' | 'searching' | 'confirming' | 'claiming' = 'pausing'
  /** Counts from 1; names the attempt in timers. */
  private attempt = 0
  private contact: NodeRef
  private readonly claimed = new Set<Guid>()

  constructor(state: KademliaState, inquiries: Inquiries, searches: Searches, bootstraps: readonly NodeRef[], now: Millis) {
    this.state = state
    this.inquiries = inquiries
    this.searches = searches
    this.rounds = new JoinRounds(state.self, bootstraps, state.config, state.prng)
    this.contact = bootstraps[0]!
    this.startedAt = now
  }

  /** Whether it is already time to look into what peers say about others. */
  get confirms(): boolean {
    return this.phase === 'confirming' || this.phase === 'claiming'
  }

  /** Starts the next attempt. */
  start(now: Millis, fx: OverlayEffects): void {
    this.attempt++
    this.contact = this.rounds.next()
    this.phase = 'searching'
    for (const ended of this.searches.join(this.contact, now, fx)) this.onSearched(ended, fx)
  }

  /** The search for the own id has ended. */
  onSearched({ closest }: EndedSearch, fx: OverlayEffects): void {
    if (this.phase !== 'searching') return
    if (closest.length === 0 || this.state.siblings.size === 0) return this.pause(fx)
    this.rounds.noteMember()
    this.phase = 'confirming'
    for (const ref of this.state.siblings.members) this.inquiries.ask(ref, fx)
  }

  /** A node that was asked is no member. Those it has heard itself may be: they are tried next. */
  onRefused(from: NodeRef, refs: readonly NodeRef[]): void {
    this.rounds.refusedBy(from)
    for (const ref of refs.slice(0, namedMax)) this.rounds.meet(ref)
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    this.rounds.meet(fellow)
  }

  /** A member has answered a question in which this node claimed to be one. */
  onClaimed(from: NodeRef): void {
    if (this.phase === 'claiming') this.claimed.add(from.id)
  }

  /** No inquiry is outstanding. True when this node is a member now. */
  onSettled(fx: OverlayEffects): boolean {
    const { siblings } = this.state
    if (siblings.size === 0) {
      this.pause(fx)
      return false
    }
    this.phase = 'claiming'
    this.state.standing = 'claiming'
    const missing = siblings.members.filter((ref) => !this.claimed.has(ref.id))
    for (const ref of missing) this.inquiries.ask(ref, fx)
    return missing.length === 0
  }

  /** What becomes of the join: it goes on, its time is up, or this node has to begin a network. */
  onTimer(attempt: number, now: Millis, fx: OverlayEffects): 'joining' | 'failed' | 'founder' {
    if (attempt !== this.attempt || this.phase !== 'pausing') return 'joining'
    if (now - this.startedAt >= this.state.config.joinMs) return 'failed'
    if (this.rounds.mustFound) return 'founder'
    this.start(now, fx)
    return 'joining'
  }

  /** This attempt has failed. The next follows at once, or after a pause when all bootstrap nodes have been tried. */
  private pause(fx: OverlayEffects): void {
    this.phase = 'pausing'
    this.state.standing = 'outside'
    this.inquiries.clear()
    this.claimed.clear()
    fx.startTimer('join', this.attempt, this.rounds.pauseMs())
  }
}

/** Of those that a fellow joiner names, the closest: so that one that lies takes up little time. Our guess. */
const namedMax = 2
