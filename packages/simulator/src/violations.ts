import type { Millis } from '@plaxton/kbr'

/** Something that must never be so, and was. */
export interface Violation {
  /** Which check found it: `one root per key`, `leaf sets exact`, … */
  readonly check: string
  /** Virtual time. */
  readonly at: Millis
  /** One sentence with the ids. */
  readonly detail: string
}

/** Violations written down in full, per check; the rest are counted. */
const maxKept = 20

/** Collects what the checks find. */
export class Violations {
  readonly kept: Violation[] = []
  private readonly counts = new Map<string, number>()

  add(check: string, at: Millis, detail: string): void {
    const count = (this.counts.get(check) ?? 0) + 1
    this.counts.set(check, count)
    if (count <= maxKept) this.kept.push({ check, at, detail })
  }

  /** Violations in all. */
  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** How many each check found. */
  byCheck(): ReadonlyMap<string, number> {
    return this.counts
  }

  toJSON(): object {
    return { total: this.total, byCheck: Object.fromEntries(this.counts), kept: this.kept }
  }
}
