import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'

/**
 * How far other nodes are: measured round trips, smoothed; the proximity metric of an overlay.
 *
 * Own measurements count; what the other end reports is taken only where there is none, because it may be lying.
 */
export class Proximity {
  /** Bound: `max`. Full: the one measured first goes; its table entry then loses to any node that is measured. */
  private measured: Map<Guid, Millis> | undefined = undefined
  /** Those of them that are only reported. Undefined until the first. */
  private hearsay: Set<Guid> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  /** Milliseconds there and back; undefined when unknown. */
  of(id: Guid): Millis | undefined {
    return this.measured?.get(id)
  }

  /** The same in whole milliseconds, as far as this node has measured it itself. */
  ownOf(id: Guid): Millis | undefined {
    const rttMs = this.of(id)
    return rttMs === undefined || this.hearsay?.has(id) === true ? undefined : Math.round(rttMs)
  }

  /** As `of`, with unknown nodes beyond all known ones. */
  orFar(id: Guid): Millis {
    return this.measured?.get(id) ?? Infinity
  }

  /** For sorting: the nearest first, nodes of unknown distance last. */
  compare(a: Guid, b: Guid): number {
    const [toA, toB] = [this.orFar(a), this.orFar(b)]
    return toA === toB ? 0 : toA < toB ? -1 : 1
  }

  /** A round trip was measured in passing: moves the estimate by an eighth of the difference (RFC 6298's alpha). */
  sample(id: Guid, rttMs: Millis): void {
    const before = this.hearsay?.has(id) === true ? undefined : this.measured?.get(id)
    if (before === undefined) this.set(id, rttMs)
    else if (before !== rttMs) this.measured?.set(id, before + (rttMs - before) / 8)
  }

  /** A distance probe's result replaces whatever was known. */
  set(id: Guid, rttMs: Millis): void {
    const measured = (this.measured ??= new Map())
    if (measured.size >= this.max && !measured.has(id)) {
      for (const oldest of measured.keys()) {
        this.forget(oldest)
        break
      }
    }
    measured.set(id, rttMs)
    this.hearsay?.delete(id)
  }

  /** The other end measured it. */
  reported(id: Guid, rttMs: Millis): void {
    if (this.of(id) !== undefined) return
    this.set(id, rttMs)
    this.hearsay ??= new Set()
    this.hearsay.add(id)
  }

  /** Forgets all but these. */
  retain(ids: Iterable<Guid>): void {
    const before = this.measured
    if (before === undefined) return
    this.measured = new Map()
    for (const id of ids) {
      const rttMs = before.get(id)
      if (rttMs !== undefined) this.measured.set(id, rttMs)
    }
    for (const id of this.hearsay ?? []) if (!this.measured.has(id)) this.hearsay?.delete(id)
  }

  forget(id: Guid): void {
    this.measured?.delete(id)
    this.hearsay?.delete(id)
  }
}
