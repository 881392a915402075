import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, Prng } from '@plaxton/kbr'

/** How long a joiner waits. */
export interface JoinRoundsConfig {
  /** First pause before another round; doubles with each, up to `joinRetryMaxMs`. */
  readonly joinRetryMs: Millis
  readonly joinRetryMaxMs: Millis
}

/**
 * Through whom a node tries to join: one bootstrap node after the other, round after round with longer and longer pauses.
 *
 * When the only nodes that answer are joining themselves (all nodes of a network were restarted at once), somebody has to begin: after some rounds the one with
 * the least id among those that answered. Should there be two, they find each other as parts of a network do after a partition.
 */
export class JoinRounds {
  private readonly config: JoinRoundsConfig
  private readonly self: NodeRef
  private readonly prng: Prng
  /** Those given, then fellow joiners. Bound: as many again, and `fellowsMax`. Full: a fellow is not noted. */
  private readonly bootstraps: NodeRef[]
  private readonly given: number
  /** Position in `bootstraps` of the next attempt. */
  private at = 0
  private rounds = 0
  /** Fellow joiners that refused in this round, of those asked; and how many rounds in a row nobody but such answered. */
  private readonly fellows = new Set<Guid>()
  private metMember = false
  private fruitlessRounds = 0

  constructor(self: NodeRef, bootstraps: readonly NodeRef[], config: JoinRoundsConfig, prng: Prng) {
    this.self = self
    this.config = config
    this.prng = prng
    this.bootstraps = [...bootstraps]
    this.given = bootstraps.length
  }

  /** No round has ended yet. */
  get isFirst(): boolean {
    return this.rounds === 0
  }

  /** Whether this node has to begin a network of its own. */
  get mustFound(): boolean {
    return this.fruitlessRounds >= fruitlessRoundsMax
  }

  /** Whom to try now. */
  next(): NodeRef {
    const contact = this.bootstraps[this.at]!
    this.at = (this.at + 1) % this.bootstraps.length
    return contact
  }

  /** A fellow joiner: a possible bootstrap node for later. */
  meet(fellow: NodeRef): void {
    if (this.bootstraps.length >= this.given + fellowsMax || this.bootstraps.some((ref) => ref.id === fellow.id)) return
    this.bootstraps.push(fellow)
  }

  /** One that was asked is joining itself. */
  refusedBy(fellow: NodeRef): void {
    this.meet(fellow)
    this.fellows.add(fellow.id)
  }

  /** A member has answered. */
  noteMember(): void {
    this.metMember = true
  }

  /** An attempt has failed. Returns the pause before the next: none, or after a whole round a while. */
  pauseMs(): Millis {
    if (this.at !== 0) return 0
    const { joinRetryMs, joinRetryMaxMs } = this.config
    const { size } = this.fellows
    const isLeast = [...this.fellows].every((id) => this.self.id < id)
    this.fruitlessRounds = size > 0 && isLeast && !this.metMember ? this.fruitlessRounds + 1 : 0
    this.fellows.clear()
    this.metMember = false
    const backoffMs = joinRetryMs * 2 ** this.rounds++
    // Fellows that join may be members any moment, so it does not pay to wait long.
    return this.prng.jitter(size > 0 ? 2 * joinRetryMs : Math.min(backoffMs, joinRetryMaxMs), 0.5)
  }
}

/** Our guess: with fewer, a node might begin a network while a fellow is about to finish an ordinary join. */
const fruitlessRoundsMax = 3
const fellowsMax = 16
