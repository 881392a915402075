import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { emit } from './command.ts'
import { Comparison, replicaSetWithout } from './comparison.ts'
import { includesOwnHost, replicaSet } from './hosts.ts'
import type { ComparisonParts } from './comparison.ts'
import { maxEntries, maxExcluded } from './messages.ts'
import type { Then } from './errands.ts'
import { Offering } from './offering.ts'
import { widened } from './parts.ts'
import type { Placed } from './placement.ts'
import type { Held } from './shelf.ts'

/**
 * Keeps every object on the nodes it belongs on.
 *
 * In rounds, soon after the neighbours have changed and otherwise periodically, a node compares with each neighbour what both should
 * hold, and offers what it holds beyond that to the nodes it belongs on; it drops such an object only when all of these hold it. The
 * time between rounds doubles while nothing happens.
 *
 *     asleep ──time, or neighbours changed──▶ comparing ──all compared──▶ offering strays ──answered──▶ asleep
 */
export class Maintenance {
  private readonly parts: ComparisonParts
  /** Joined since the last round: compared with even when nothing is shared yet, because they may know of objects that belong here. */
  private readonly newcomers = new Set<Guid>()
  private inRound = false
  private leaving = false
  /** Others that leave at the same time: not to hand over to. At most {@link maxExcluded} less this node. */
  private readonly leavers = new Set<Guid>()
  /** When the next round is due; later alarms than the one for this moment find nothing to do. */
  private dueAt = Infinity
  private pauseMs: Millis
  private rounds = 0
  private changesBefore = 0
  private settledAfter: 'start' | 'round' | 'now' = 'start'

  constructor(parts: ComparisonParts) {
    this.parts = parts
    this.pauseMs = parts.config.quickSyncMs
  }

  /**
   * True once what this node found on its disk has been compared with its neighbours. Until then it may hold objects that were
   * removed while it was away, and nobody should be answered from its copies alone.
   */
  get settled(): boolean {
    if (this.settledAfter === 'round' && this.parts.repair.idle) this.settledAfter = 'now'
    return this.settledAfter === 'now'
  }

  /** The disk has been read. */
  start(now: Millis, fx: AppEffects): void {
    if (this.parts.shelf.size === 0) this.settledAfter = 'now'
    this.schedule(this.parts.config.settleMs, now, fx)
    this.sweepLater(fx)
  }

  onNeighbor(node: NodeRef, joined: boolean, now: Millis, fx: AppEffects): void {
    this.parts.placement.invalidate()
    if (joined && this.newcomers.size < maxNeighbors) this.newcomers.add(node.id)
    if (!joined) this.newcomers.delete(node.id)
    this.pauseMs = this.parts.config.quickSyncMs
    this.schedule(this.parts.config.settleMs, now, fx)
  }

  /** The neighbours are the same, but others are responsible for some objects. */
  onRanksChanged(now: Millis, fx: AppEffects): void {
    this.parts.placement.invalidate()
    this.pauseMs = this.parts.config.quickSyncMs
    this.schedule(this.parts.config.settleMs, now, fx)
  }

  /** Something is not where it should be: the next round comes soon. */
  hasten(now: Millis, fx: AppEffects): void {
    this.pauseMs = this.parts.config.quickSyncMs
    this.schedule(this.pauseMs, now, fx)
  }

  /** Gives everything away and then runs `then`. What nobody takes for a while stays on this node's disk. */
  leave(now: Millis, fx: AppEffects, then: Then<void>): void {
    this.leaving = true
    this.handOver([...this.parts.shelf.all()], 0, now, fx, then)
  }

  // --- Rounds ---------------------------------------------------------------------------------------------------------

  private schedule(delayMs: Millis, now: Millis, fx: AppEffects): void {
    const delay = this.parts.prng.jitter(delayMs, jitterShare)
    if (this.inRound || this.leaving || this.dueAt <= now + delay) return
    const dueAt = now + delay
    this.dueAt = dueAt
    this.parts.errands.later(delay, fx, (_, time, effects) => {
      if (this.dueAt === dueAt) this.round(time, effects)
    })
  }

  private round(now: Millis, fx: AppEffects): void {
    this.dueAt = Infinity
    if (this.leaving) return
    if (!fx.ready) return this.schedule(this.parts.config.settleMs, now, fx)
    this.inRound = true
    this.changesBefore = this.parts.repair.changes
    if (this.settledAfter === 'round') this.settledAfter = 'now'
    this.parts.placement.forgetTold(now - this.parts.config.syncMs / 2, fx)
    const first = this.rounds++ === 0
    const nearest = new Set(fx.neighborSet(widened(this.parts.config.maxReplicas)).map((node) => node.id))
    const suits = ({ id }: NodeRef): boolean =>
      this.parts.placement.sharedWith(id, fx).count > 0 || (nearest.has(id) && (first || this.newcomers.has(id)))
    const peers = fx.neighborSet(maxNeighbors).filter(suits)
    this.newcomers.clear()
    let open = 0
    const next = (time: Millis, effects: AppEffects): void => {
      const peer = peers.shift()
      if (peer !== undefined) {
        open++
        return new Comparison(this.parts, peer, (_, at, fxThen) => {
          open--
          next(at, fxThen)
        }).start(effects)
      }
      if (open === 0) this.placeUnplaced(time, effects)
    }
    const width = Math.max(1, Math.min(this.parts.config.syncsInFlight, peers.length))
    for (let i = 0; i < width; i++) next(now, fx)
  }

  /** Asks the roots of records at the edge of this node's view where these belong. */
  private placeUnplaced(now: Millis, fx: AppEffects): void {
    const { placement } = this.parts
    const records = placement.unplaced(unplacedPerRound, fx)
    let open = records.length
    if (open === 0) return this.offerStrays(now, fx)
    for (const held of records) {
      this.locate(held, held.leading.replicas, fx, (nodes, time, effects) => {
        if (nodes !== undefined) placement.place(held, nodes, time, effects)
        if (--open === 0) this.offerStrays(time, effects)
      })
    }
  }

  /** Asks the root of a record for its replica set; undefined when it does not answer. */
  private locate({ guid }: Held, replicas: number, fx: AppEffects, then: Then<readonly NodeRef[] | undefined>): void {
    const { errands, config } = this.parts
    errands.route(guid, { type: 'where', replicas }, { replyWithinMs: config.attemptMs }, fx, (answered, now, effects) =>
      then(answered.ok && answered.message.type === 'here' ? answered.message.replicaSet : undefined, now, effects),
    )
  }

  private offerStrays(now: Millis, fx: AppEffects): void {
    const strays = this.parts.placement.strays(maxEntries, fx)
    new Offering(this.parts, strays, { without: [], onLeaver: () => {} }, (confirmed, time, effects) => {
      for (const { guid, version } of confirmed) {
        if (!this.parts.placement.isPinned(guid)) this.parts.shelf.drop(guid, version, 'handed over', time, effects)
      }
      this.endRound(confirmed.length, strays.length > 0, time, effects)
    }).start(now, fx)
  }

  private endRound(handedOver: number, hadStrays: boolean, now: Millis, fx: AppEffects): void {
    this.inRound = false
    if (this.settledAfter === 'start') this.settledAfter = 'round'
    const { repair, config } = this.parts
    const busy = !repair.idle || handedOver > 0 || repair.changes !== this.changesBefore || this.newcomers.size > 0
    emit(fx, { type: 'past:compared', waiting: repair.waiting, handedOver })
    const longest = hadStrays ? Math.min(config.syncMs, strayRounds * config.quickSyncMs) : config.syncMs
    this.pauseMs = busy ? config.quickSyncMs : Math.min(longest, this.pauseMs * 2)
    this.schedule(this.pauseMs, now, fx)
  }

  // --- Leaving --------------------------------------------------------------------------------------------------------

  /** Offers batch after batch, what was not confirmed once more at the end, until all has been or nobody takes any more. */
  private handOver(records: readonly Held[], fruitless: number, now: Millis, fx: AppEffects, then: Then<void>): void {
    const patience = handOverTries + 2 * Math.ceil(records.length / handOverBatch)
    // Of a network that is shut down as a whole nobody stays; what is on disk is all that is left of it. The nodes of one host leave together.
    const nobodyStays = fx.neighborSet(maxExcluded).every((node) => this.leavers.has(node.id) || includesOwnHost([node], fx))
    if (records.length === 0 || fruitless >= patience || nobodyStays) return then(undefined, now, fx)
    this.placeWithoutSelf(records.slice(0, handOverBatch), now, fx, (placed, time, effects) => {
      const options = { without: [fx.self.id, ...this.leavers], onLeaver: (node: NodeRef) => this.onLeaver(node) }
      new Offering(this.parts, placed, options, (confirmed, at, fxDone) => {
        const gone = new Set(confirmed.map((held) => held.guid))
        const rest = [...records.slice(handOverBatch), ...records.slice(0, handOverBatch)]
        const left = rest.flatMap((held) => (gone.has(held.guid) ? [] : (this.parts.shelf.get(held.guid) ?? [])))
        if (left.length === 0) return then(undefined, at, fxDone)
        this.parts.errands.later(handOverPauseMs, fxDone, (_, later, fxLater) =>
          this.handOver(left, gone.size === 0 ? fruitless + 1 : 0, later, fxLater, then),
        )
      }).start(time, effects)
    })
  }

  private onLeaver(node: NodeRef): void {
    if (this.leavers.size < maxExcluded - 1) this.leavers.add(node.id)
  }

  /** Where records belong once this node is gone; of what it cannot see itself, it asks the roots. */
  private placeWithoutSelf(records: readonly Held[], now: Millis, fx: AppEffects, then: Then<readonly Placed[]>): void {
    const placed: Placed[] = []
    let open = 1
    const settle = (time: Millis, effects: AppEffects): void => {
      if (--open === 0) then(placed, time, effects)
    }
    for (const held of records) {
      const { replicas } = held.leading
      const without = [fx.self.id, ...this.leavers]
      const nodes = replicaSetWithout(without, held.guid, replicas, fx)
      const certain = nodes.length === replicas || includesOwnHost(replicaSet(held.guid, replicas + without.length, fx), fx)
      if (certain) {
        placed.push({ held, nodes })
        continue
      }
      open++
      this.locate(held, replicas + without.length, fx, (found, time, effects) => {
        placed.push({ held, nodes: (found ?? []).filter((node) => !without.includes(node.id)).slice(0, replicas) })
        settle(time, effects)
      })
    }
    settle(now, fx)
  }

  // --- Sweeping -------------------------------------------------------------------------------------------------------

  private sweepLater(fx: AppEffects): void {
    const { prng, config, errands, shelf } = this.parts
    errands.later(prng.jitter(config.sweepMs, jitterShare), fx, (_, now, effects) => {
      shelf.sweep(now, effects)
      this.sweepLater(effects)
    })
  }
}

/** Spreads periodic work of nodes that started together. Our guess. */
const jitterShare = 0.3
/** More neighbours than any overlay has. Newcomers beyond: the periodic rounds find them. */
const maxNeighbors = 1024
/** While there are objects to give away, rounds are at most this many times `quickSyncMs` apart. Our guess. */
const strayRounds = 4
/** Routed questions in one round: a fraction of what the routing below has in flight. The rest waits for the next round. */
const unplacedPerRound = 256
/** Records offered at a time while leaving. */
const handOverBatch = 256
/** Pause between offers while leaving: a copy of a few objects takes about as long. */
const handOverPauseMs = 100
/** Offers in a row that nobody confirmed before a leaving node gives up, besides two for each batch: 5 s at least. */
const handOverTries = 50
