import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'

/**
 * How far other nodes are: measured round trips, smoothed; the proximity metric of an overlay.
 *
 * Own measurements count; what the other end reports is taken only where there is none, because it may be lying.
 */
export class Proximity {
  /**
   * By id; what is only reported as a negative number, see {@link hearsay}. Bound: `max`. Full: the one measured first goes; its table entry then loses to any
   * node that is measured. One map, because it is half of what an idle node weighs. Undefined until the first.
   */
  private known: Map<Guid, number> | undefined = undefined
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  /** Milliseconds there and back; undefined when unknown. */
  of(id: Guid): Millis | undefined {
    const known = this.known?.get(id)
    return known === undefined || known >= 0 ? known : hearsay(known)
  }

  /** The same in whole milliseconds, as far as this node has measured it itself. */
  ownOf(id: Guid): Millis | undefined {
    const known = this.known?.get(id)
    return known === undefined || known < 0 ? undefined : Math.round(known)
  }

  /** As `of`, with unknown nodes beyond all known ones. */
  orFar(id: Guid): Millis {
    return this.of(id) ?? Infinity
  }

  /** For sorting: the nearest first, nodes of unknown distance last. */
  compare(a: Guid, b: Guid): number {
    const toA = this.orFar(a)
    const toB = this.orFar(b)
    return toA === toB ? 0 : toA < toB ? -1 : 1
  }

  /** A round trip was measured in passing: moves the estimate by an eighth of the difference (RFC 6298's alpha). */
  sample(id: Guid, rttMs: Millis): void {
    const before = this.known?.get(id)
    if (before === undefined || before < 0) this.set(id, rttMs)
    else if (before !== rttMs) this.known?.set(id, before + (rttMs - before) / 8)
  }

  /** A distance probe's result replaces whatever was known. */
  set(id: Guid, rttMs: Millis): void {
    this.put(id, rttMs)
  }

  /** The other end measured it. */
  reported(id: Guid, rttMs: Millis): void {
    if (this.known?.has(id) !== true) this.put(id, hearsay(rttMs))
  }

  /** Forgets all but these. */
  retain(ids: Iterable<Guid>): void {
    const before = this.known
    if (before === undefined) return
    this.known = new Map()
    for (const id of ids) {
      const known = before.get(id)
      if (known !== undefined) this.known.set(id, known)
    }
  }

  forget(id: Guid): void {
    this.known?.delete(id)
  }

  private put(id: Guid, known: number): void {
    const all = (this.known ??= new Map())
    if (all.size >= this.max && !all.has(id)) {
      for (const oldest of all.keys()) {
        all.delete(oldest)
        break
      }
    }
    all.set(id, known)
  }
}

/** Milliseconds that were reported, as the number that stands for them; and back. */
function hearsay(number: number): number {
  return -1 - number
}
