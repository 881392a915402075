import { InvalidValueError } from '@plaxton/kbr'
import type { Millis, Prng } from '@plaxton/kbr'
import type { Topology } from './topology.ts'

/** How well the network behaves; all of it may be changed while it runs. */
export interface NetworkConfig {
  /** Probability that a message is lost, for links without one of their own; 0 … 1. */
  readonly loss: number
  /** A message takes up to this much longer than its link's latency, uniformly. With it, messages overtake each other. */
  readonly jitterMs: Millis
  /**
   * How long an attempt to reach a dead or cut-off host takes to fail, after which the sender gets `onPeerDown('unreachable')`; and whoever
   * exchanged messages with a host that dies gets `'disconnected'` one latency later. undefined: silence, as with UDP.
   */
  readonly noticeMs: Millis | undefined
}

export const networkDefaults: NetworkConfig = { loss: 0, jitterMs: 0, noticeMs: undefined }

/** {@link Network.delayMs} of a message that does not arrive. */
export const lost = -1
/** {@link Network.delayMs} of a message whose link is cut by a partition. */
export const cut = -2

/** What a network does to messages: latency, jitter, loss, slow hosts and partitions. Hosts are numbers. */
export class Network {
  loss: number
  jitterMs: Millis
  noticeMs: Millis | undefined
  private readonly topology: Topology
  /** A generator for each concern, so that switching one on leaves the other's draws alone. */
  private readonly lossPrng: Prng
  private readonly jitterPrng: Prng
  /** Loss of single directed links; at most as many as tests set. */
  private readonly linkLoss = new Map<string, number>()
  /** Milliseconds a slow host adds to every message from it and to it. */
  private readonly slowness = new Map<number, Millis>()
  /** The side of each host named in the partition; others are on side 0. Empty when there is no partition. */
  private readonly sides = new Map<number, number>()
  private oneWay = false

  constructor(topology: Topology, config: Partial<NetworkConfig>, lossPrng: Prng, jitterPrng: Prng) {
    const { loss, jitterMs, noticeMs } = { ...networkDefaults, ...config }
    if (!(loss >= 0 && loss <= 1)) throw new InvalidValueError('loss', loss, '0 to 1')
    this.topology = topology
    this.loss = loss
    this.jitterMs = jitterMs
    this.noticeMs = noticeMs
    this.lossPrng = lossPrng
    this.jitterPrng = jitterPrng
  }

  /** Milliseconds until a message sent now arrives; {@link lost} or {@link cut} when it does not. */
  delayMs(from: number, to: number): Millis {
    if (from === to) return 1
    if (this.sides.size > 0 && !this.reaches(from, to)) return cut
    const loss = this.linkLoss.size === 0 ? this.loss : (this.linkLoss.get(linkName(from, to)) ?? this.loss)
    if (loss > 0 && this.lossPrng.chance(loss)) return lost
    let delay = this.topology.latencyMs(from, to)
    if (this.slowness.size > 0) delay += (this.slowness.get(from) ?? 0) + (this.slowness.get(to) ?? 0)
    return this.jitterMs === 0 ? delay : delay + this.jitterPrng.nextInt(this.jitterMs + 1)
  }

  /** Whether no partition stops messages from `from` to `to`. */
  reaches(from: number, to: number): boolean {
    const a = this.sides.get(from) ?? 0
    const b = this.sides.get(to) ?? 0
    return a === b || (this.oneWay && a < b)
  }

  /** Whether a partition is in force. */
  get partitioned(): boolean {
    return this.sides.size > 0
  }

  /**
   * Cuts all links between different groups; hosts in none of them are a group of their own, number 0, the given ones count from 1. With `oneWay`,
   * messages still get from lower numbers to higher ones. Replaces the partition before.
   */
  partition(groups: ReadonlyArray<readonly number[]>, options: { readonly oneWay?: boolean } = {}): void {
    this.sides.clear()
    this.oneWay = options.oneWay ?? false
    groups.forEach((group, index) => group.forEach((host) => this.sides.set(host, index + 1)))
  }

  /** Ends the partition. */
  heal(): void {
    this.sides.clear()
  }

  /** Loss of the link from `from` to `to`, in this direction only; undefined: as all others. */
  setLinkLoss(from: number, to: number, loss: number | undefined): void {
    if (loss === undefined) this.linkLoss.delete(linkName(from, to))
    else this.linkLoss.set(linkName(from, to), loss)
  }

  /** Makes a host slow by this much per message, to the millisecond, or normal again with 0. */
  setSlowness(host: number, extraMs: Millis): void {
    if (extraMs === 0) this.slowness.delete(host)
    else this.slowness.set(host, Math.round(extraMs))
  }

  /** No loss, no jitter, no slow hosts, no partition. Latency and notices stay. */
  repair(): void {
    this.heal()
    this.linkLoss.clear()
    this.slowness.clear()
    this.loss = 0
    this.jitterMs = 0
  }
}

function linkName(from: number, to: number): string {
  return `${from}>${to}`
}
