import { guidOfPeer } from '@plaxton/guid'
import { RouteError } from '@plaxton/kbr'
import type { Logger, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { Lookup, PeerReport } from './peer-lookup.ts'

/** What membership is decided with. */
export interface MembershipPorts {
  readonly self: PeerId
  readonly log: Logger
  /** The node at an address, as it says itself; rejects when there is none. */
  connect(address: Multiaddr | PeerId, signal: AbortSignal): Promise<NodeRef>
  /** Asks one node about itself. */
  ask(node: NodeRef, withinMs: Millis): Promise<PeerReport>
  /** Whether the overlay has this node in its tables, and so in its ring. */
  knows(node: NodeRef): boolean
  /** Where a message for this node's own id ends when `firstHop` walks it. */
  findSelf(firstHop: NodeRef, withinMs: Millis): Promise<Lookup>
  /** Becomes a member through `bootstrap`; of a new network, alone, when it is empty. */
  join(bootstrap: readonly NodeRef[], signal: AbortSignal): Promise<void>
  /** This node is a member: makes the overlay acquainted with members of a ring it does not know. */
  meet(nodes: readonly NodeRef[]): void
}

/** A node without any address to try decides after this time that it is the first. Peers connected by then have said so. */
const aloneMs = 150

/** One with addresses waits this long for somebody to answer, and goes on trying afterwards. A restart of all nodes at once takes about so long. */
const aloneDespiteSeedsMs = 3_000

/** Two that wait for each other decide by id; should that fail, neither waits longer than this. */
const patienceMs = 10_000

/** How often nodes that are not members yet are asked again. */
const pollMs = 100

/** Longest wait for one answer of a candidate. */
const askMs = 2_000

/** Longest wait for a connection to a seed. */
const connectMs = 10_000

/** A peer of the same ring is in the overlay's tables after this time, as a rule, and need not be looked into. */
const acquaintanceMs = 500

/** Pause before seeds are tried again, doubling up to the maximum. */
const retryMs = 500
const maxRetryMs = 30_000

/** Candidates kept. Full: further ones are not needed. */
const maxCandidates = 64

/**
 * Decides how a node becomes a member: through the addresses it was given, the neighbours of its last run, or any peer that turns up and
 * speaks the overlay's protocol; alone when there is nobody. A member goes on looking: when it meets a member of a ring that is not its
 * own, the two rings are made one.
 */
export class Membership {
  private readonly ports: MembershipPorts
  private readonly selfId: Guid
  /** Where to look: addresses and peers of the last run. */
  private readonly seeds: ReadonlyArray<Multiaddr | PeerId>
  /** Seeds that answered, peers that turned up, and those that they named: all that may be members, or become one. */
  private readonly candidates = new Map<Guid, NodeRef>()
  /** Candidates that did not answer; not asked again because somebody names them. Bound: as many as candidates; full: no more are noted. */
  private readonly silent = new Set<Guid>()
  private readonly stopping = new AbortController()
  private readonly startedAt = performance.now()
  private member = false
  private wake = (): void => {}
  /** Seeds whose first attempt is not over. */
  private untried: number

  constructor(ports: MembershipPorts, seeds: ReadonlyArray<Multiaddr | PeerId>) {
    this.ports = ports
    this.selfId = guidOfPeer(ports.self)
    this.seeds = seeds
    this.untried = seeds.length
  }

  /** Resolves when this node is a member; rejects only when stopped. Goes on looking afterwards, until {@link stop}. */
  async start(): Promise<void> {
    for (const seed of this.seeds) void this.pursue(seed)
    while (!this.member) {
      this.stopping.signal.throwIfAborted()
      const { members, outsiders } = await this.askCandidates()
      if (members.length > 0 || this.mayBeAlone(outsiders)) await this.join(members)
      else await this.pause()
    }
    for (const candidate of this.candidates.values()) void this.compareRings(candidate)
  }

  stop(): void {
    this.stopping.abort(new Error('the node stops'))
    this.wake()
  }

  /** A peer that speaks our protocol is connected. */
  async meet(peer: PeerId): Promise<void> {
    try {
      this.consider(await this.ports.connect(peer, this.timeout(connectMs)))
    } catch (error) {
      this.ports.log('could not get to know %p - %e', peer, error)
    }
  }

  /** A node that looks for members asks whether this one is. Returns whom else it may ask, for as long as this one is no member itself. */
  onAsked(by: NodeRef): readonly NodeRef[] {
    if (this.member) return []
    this.silent.delete(by.id)
    this.addCandidate(by)
    return [...this.candidates.values()]
  }

  /** Tries one seed until it answers. */
  private async pursue(seed: Multiaddr | PeerId): Promise<void> {
    for (let pause = retryMs; !this.stopping.signal.aborted; pause = Math.min(2 * pause, maxRetryMs)) {
      try {
        this.consider(await this.ports.connect(seed, this.timeout(connectMs)))
        return
      } catch (error) {
        // A list of seeds that all nodes share contains this node itself.
        if ((error as Error).name === 'InvalidPeerIdError') return
        this.ports.log('no answer from %s - %e', seed, error)
      } finally {
        if (pause === retryMs) this.untried--
        this.wake()
      }
      await this.delay(pause * (0.75 + Math.random() / 2))
    }
  }

  private consider(ref: NodeRef): void {
    if (ref.id === this.selfId) return
    this.silent.delete(ref.id)
    if (this.member) void this.compareRings(ref)
    else this.addCandidate(ref)
    this.wake()
  }

  private addCandidate(ref: NodeRef): void {
    if (ref.id !== this.selfId && !this.silent.has(ref.id) && this.candidates.size < maxCandidates) this.candidates.set(ref.id, ref)
  }

  /** The candidates that say that they are members, and those that say that they are not; the quickest to answer first. */
  private async askCandidates(): Promise<{ readonly members: readonly NodeRef[]; readonly outsiders: readonly Guid[] }> {
    const members: NodeRef[] = []
    const outsiders: Guid[] = []
    await Promise.all(
      [...this.candidates.values()].map(async (candidate) => {
        try {
          const { self, member, closest } = await this.ports.ask(candidate, askMs)
          if (member) members.push(self)
          else {
            outsiders.push(candidate.id)
            for (const ref of closest) this.addCandidate(ref)
          }
        } catch (error) {
          if (!isSlow(error)) {
            this.candidates.delete(candidate.id)
            if (this.silent.size < maxCandidates) this.silent.add(candidate.id)
          }
          this.ports.log('candidate %s does not answer - %e', candidate.address, error)
        }
      }),
    )
    return { members, outsiders }
  }

  /**
   * None of those that answered just now is a member. Of nodes that know only each other the one with the smallest id goes ahead and the others
   * join through it, so that nodes started together become one ring. Two cannot both go ahead: whoever is asked knows of the asker before it
   * answers, and so either is a member by then or waits for the smaller id; and of two who ask a third, the later hears of the earlier. Who has
   * not answered in time may be busy, as many nodes are that start at once on one machine, and may be a member already.
   */
  private mayBeAlone(outsiders: readonly Guid[]): boolean {
    const waited = performance.now() - this.startedAt
    if (waited >= patienceMs) return true
    if (this.seeds.length > 0 && this.candidates.size === 0 && (this.untried > 0 || waited < aloneDespiteSeedsMs)) return false
    if (waited < aloneMs) return false
    return [...this.candidates.keys()].every((id) => id > this.selfId && outsiders.includes(id))
  }

  private async join(members: readonly NodeRef[]): Promise<void> {
    try {
      await this.ports.join(members, this.stopping.signal)
      this.member = true
    } catch (error) {
      this.stopping.signal.throwIfAborted()
      this.ports.log.error('joining failed, will try again - %e', error)
      await this.delay(retryMs)
    }
  }

  /** In one ring, a message for this node's own id ends here, whoever walks it. */
  private async compareRings(other: NodeRef): Promise<void> {
    await this.delay(acquaintanceMs)
    try {
      if (this.ports.knows(other)) return
      const { self, member } = await this.ports.findSelf(other, askMs)
      if (self.id === this.selfId || !member) return
      this.ports.log('met another ring through %s', other.address)
      this.ports.meet([other, self])
    } catch (error) {
      this.ports.log('could not compare rings through %s - %e', other.address, error)
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  private async delay(ms: number): Promise<void> {
    if (this.stopping.signal.aborted) return
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.stopping.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.stopping.signal.addEventListener('abort', end)
    })
  }

  private timeout(ms: number): AbortSignal {
    return AbortSignal.any([this.stopping.signal, AbortSignal.timeout(ms)])
  }
}

/** It did not answer in time, which is no sign that it is not there. */
function isSlow(error: unknown): boolean {
  return error instanceof RouteError && error.failure.reason === 'timed out'
}
