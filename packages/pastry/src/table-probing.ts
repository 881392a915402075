import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { Probing } from './probing.ts'
import type { PastryState } from './state.ts'

/**
 * MSPastry's active probing of the routing table, as often as the failures seen call for. A message that meets a dead entry is late by a timeout;
 * entries are probed just so often that a share `lossTarget` of all messages is. In a network where nobody fails nothing is sent.
 *
 * With failures at rate mu per node, an entry probed every T is dead when used with probability P_f(T) = 1 - (1 - e^(-T mu)) / (T mu), about
 * x/2 - x²/6 for x = T mu. A route of h hops ends with a leaf-set hop, whose neighbour is noticed within the heartbeat and its probes; the others are to
 * share what is left of the target. mu comes from the failures in the own leaf set, h from its density.
 */
export class TableProbing {
  private readonly state: PastryState
  private readonly probing: Probing
  /** When this node became a member, then when the last members of its leaf set failed. Bound: `failuresMax`. Full: the first goes. Never pushed to: that would reserve room. */
  private failures: Millis[] = []
  /** The entry probed last. */
  private last: Guid | undefined = undefined

  constructor(state: PastryState, probing: Probing) {
    this.state = state
    this.probing = probing
  }

  start(now: Millis, fx: OverlayEffects): void {
    this.failures = this.failures.concat(now)
    fx.startTimer('tableProbe', 0, this.state.config.tableProbeMs)
  }

  /** A member of the leaf set failed. */
  noteFailure(now: Millis): void {
    this.failures = this.failures.concat(now).slice(-failuresMax)
  }

  /** Probes the next entry, if it is time, and sets the next time. */
  onTimer(now: Millis, fx: OverlayEffects): void {
    const { config, prng } = this.state
    const periodMs = this.periodMs(now)
    const entries = periodMs === Infinity ? nobody : this.entries()
    const gapMs = Math.max(config.tableProbeMs, Math.round(periodMs / Math.max(1, entries.length)))
    // When failures are rare the gap is long, but the rate may change, so it is looked at again within a heartbeat.
    const due = prng.chance(Math.min(1, config.heartbeatMs / gapMs))
    if (due) this.probeNext(entries, now, fx)
    fx.startTimer('tableProbe', 0, prng.jitter(Math.min(gapMs, config.heartbeatMs), 0.1))
  }

  /** MSPastry's T_rt: how often each entry should be probed; Infinity while no failure has been seen. */
  periodMs(now: Millis): Millis {
    const { heartbeatMs, probeTimeoutMs, probeRetries, lossTarget } = this.state.config
    const failures = this.failures.length - 1
    const sinceMs = now - (this.failures[0] ?? now)
    if (failures <= 0 || sinceMs <= 0) return Infinity
    const perMs = failures / (sinceMs * Math.max(1, this.state.leafSet.size))
    const detectMs = (probeRetries + 1) * probeTimeoutMs
    const lastHop = deadShare((heartbeatMs + detectMs) * perMs)
    const others = Math.max(1, this.state.expectedHops() - 1)
    const share = 1 - Math.min(1, ((1 - lossTarget) / (1 - lastHop)) ** (1 / others))
    return Math.max(detectMs, (2 * share + (4 / 3) * share ** 2) / perMs - detectMs)
  }

  /** Those that are not looked after as members of the leaf set. */
  private entries(): NodeRef[] {
    const { routingTable, leafSet } = this.state
    return routingTable.entries().filter((ref) => !leafSet.has(ref.id))
  }

  private probeNext(entries: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const at = entries.findIndex((ref) => ref.id === this.last)
    const next = entries[(at + 1) % entries.length]
    if (next === undefined) return
    this.last = next.id
    this.probing.start(next, {}, now, fx)
  }
}

/** P_f: how likely it is that a node last seen alive up to x mean lifetimes ago is dead. */
function deadShare(x: number): number {
  return x < 1e-6 ? x / 2 : 1 - (1 - Math.exp(-x)) / x
}

/** Our guess: enough for a rate, few enough to follow it. */
const failuresMax = 16

const nobody: readonly NodeRef[] = []
