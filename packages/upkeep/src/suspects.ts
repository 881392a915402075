import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { BoundedMap } from './bounded-map.ts'

/** Peers that did not answer somebody and are being probed: until they do, messages avoid them. Bound: the probes under way. */
export class Suspects {
  /** Undefined while there is none. */
  private suspected: Set<Guid> | undefined = undefined

  get ids(): ReadonlySet<Guid> {
    return this.suspected ?? nobody
  }

  add(ref: NodeRef, fx: OverlayEffects): void {
    const suspected = (this.suspected ??= new Set())
    if (suspected.has(ref.id)) return
    suspected.add(ref.id)
    fx.emit({ type: 'peer-suspected', peer: ref })
  }

  /** It has answered. */
  acquit(ref: NodeRef, fx: OverlayEffects): void {
    if (this.suspected?.delete(ref.id) === true) fx.peerRecovered(ref)
  }

  /** Whether it answers is of no interest any more. */
  drop(id: Guid): void {
    this.suspected?.delete(id)
  }

  clear(): void {
    this.suspected = undefined
  }
}

/**
 * When peers that others took for dead have answered. While a partition heals, many say so of many, and each answer may bring the next claim: shortly after an answer
 * nobody is asked again.
 */
export class Acquittals {
  private readonly max: number
  /** Undefined until the first. */
  private answeredAt: BoundedMap<Guid, Millis> | undefined = undefined

  /** Remembers `max`. Full: the one that answered first goes. */
  constructor(max: number) {
    this.max = max
  }

  note(id: Guid, now: Millis): void {
    this.answeredAt ??= new BoundedMap(this.max)
    this.answeredAt.set(id, now)
  }

  /** Whether it answered within the last `withinMs`. */
  has(id: Guid, withinMs: Millis, now: Millis): boolean {
    const at = this.answeredAt?.get(id)
    return at !== undefined && now - at <= withinMs
  }
}

/** How long to wait for an answer: `probeRoundTrips` (four unless it says otherwise) where `rttMs` is known, within bounds. */
export function probeWaitMs(rttMs: Millis | undefined, { probeTimeoutMs, probeTimeoutMinMs, probeRoundTrips = 4 }: ProbeWait): Millis {
  return rttMs === undefined ? probeTimeoutMs : Math.min(probeTimeoutMs, Math.max(probeTimeoutMinMs, Math.ceil(probeRoundTrips * rttMs)))
}

/** The bounds of {@link probeWaitMs}: the wait where the round trip is not known, which is also the longest; and the shortest. */
export interface ProbeWait {
  readonly probeTimeoutMs: Millis
  readonly probeTimeoutMinMs: Millis
  readonly probeRoundTrips?: number
}

const nobody: ReadonlySet<Guid> = new Set()
