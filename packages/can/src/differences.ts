import type { Guid } from '@plaxton/guid'
import type { Entry } from './claim.ts'
import { digestOf } from './digest.ts'
import { othersMax } from './messages.ts'
import type { Report, Surroundings } from './messages.ts'
import { differenceFrom } from './zone.ts'
import type { Zone } from './zone.ts'

/** What has changed among the contacts of a node: the part of a {@link Report} that is most of it. */
export interface Difference {
  /** Of the surroundings that the receiver has confirmed; 0: there are none, and `others` is all there is. */
  readonly base: number
  /** Those that are new, or own something else than before. */
  readonly others: readonly Entry[]
  /** Those that are none any more. */
  readonly gone: readonly Guid[]
}

/** What a node has told of its surroundings lately: a contact that has confirmed one of these is told what has changed since. */
export class Versions {
  /** By digest, the last told at the end. Bound: {@link versionsMax}. Full: the first goes; who has confirmed that one gets a whole report. */
  private readonly told = new Map<number, readonly Entry[]>()
  /** To the digest `now`, by base: many contacts have confirmed the same. */
  private made: { readonly now: number; readonly byBase: Map<number, Difference> } = { now: 0, byBase: new Map() }

  /** From what the contact has confirmed, 0 for nothing, to what it is to be told now. */
  since(confirmed: number, now: Surroundings): Difference {
    this.told.delete(now.digest)
    this.told.set(now.digest, now.others)
    if (this.told.size > versionsMax) this.told.delete(this.told.keys().next().value!)
    const before = this.told.get(confirmed)
    if (before === undefined) return { base: 0, others: now.others, gone: [] }
    if (this.made.now !== now.digest) this.made = { now: now.digest, byBase: new Map() }
    const { byBase } = this.made
    const difference = byBase.get(confirmed) ?? { base: confirmed, ...between(before, now.others) }
    byBase.set(confirmed, difference)
    return difference
  }
}

/** What a report says as a whole; undefined when the receiver does not have what it is the difference to, `known` being the last it has of the sender. */
export function wholeOf(report: Report, known: Surroundings | undefined): Report | undefined {
  if (report.base === 0) return report
  if (known?.digest !== report.base) return undefined
  const entries = new Map(known.others.map((entry) => [entry.node.id, entry]))
  for (const id of report.gone) entries.delete(id)
  for (const entry of report.others) entries.set(entry.node.id, entry)
  const width = 4 * (report.others[0]?.node.id ?? known.others[0]?.node.id ?? '').length
  const others = nearestFirst(report.claims[0]?.zone, width, [...entries.values()]).slice(0, othersMax)
  const whole = { ...report, others, base: 0, gone: [] }
  return digestOf(whole) === report.digest ? whole : undefined
}

/** Owners of zones in the order in which one tells of them whose first zone this is: those that share most halvings with it first. `width`: bits of an id. */
export function nearestFirst(own: Zone | undefined, width: number, entries: readonly Entry[]): Entry[] {
  const bits = (own ?? '').padEnd(width, '0')
  return entries
    .map((entry) => ({ entry, difference: leastDifference(bits, entry) }))
    .sort((a, b) => (a.difference < b.difference || (a.difference === b.difference && a.entry.node.id < b.entry.node.id) ? -1 : 1))
    .map(({ entry }) => entry)
}

function between(before: readonly Entry[], now: readonly Entry[]): { others: Entry[]; gone: Guid[] } {
  const known = new Map(before.map((entry) => [entry.node.id, entry]))
  const others: Entry[] = []
  for (const entry of now) {
    const was = known.get(entry.node.id)
    if (was === undefined || !isSame(was, entry)) others.push(entry)
    known.delete(entry.node.id)
  }
  return { others, gone: [...known.keys()] }
}

function isSame(a: Entry, b: Entry): boolean {
  if (a.node.epoch !== b.node.epoch || a.claims.length !== b.claims.length) return false
  return a.claims.every(({ zone, version, caretaker }, i) => {
    const other = b.claims[i]!
    return zone === other.zone && version === other.version && caretaker === other.caretaker
  })
}

/** Of several zones, the one closest to the key counts. */
function leastDifference(bits: string, { claims }: Entry): string {
  let least = '1'.repeat(bits.length)
  for (const { zone } of claims) {
    const difference = differenceFrom(bits, zone)
    if (difference < least) least = difference
  }
  return least
}

/** Our guess: what changes in the time in which everybody confirms what it was told. */
const versionsMax = 8
