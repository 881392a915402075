import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { claimsMax, nextVersion } from './claim.ts'
import type { Claim } from './claim.ts'
import { contains, overlap, parentOf, siblingOf, volumeOfAll, without } from './zone.ts'
import type { Zone } from './zone.ts'

/** A zone of this node's own. */
export interface Holding extends Claim {
  /** Since when it has been this node's. */
  readonly since: Millis
  /** Until this node has heard that the giver has let go, it does not answer for the zone. */
  readonly waitsFor: Guid | undefined
  /** Nor before this moment: somebody else may have taken it over at the same time. */
  readonly settlesAt: Millis | undefined
  /** Who owned it, of a zone that is taken care of; undefined: that is not known. */
  readonly careFor: Guid | undefined
}

/** How a zone came to a node. */
interface Coming {
  readonly now: Millis
  readonly waitsFor?: Guid
  readonly settlesAt?: Millis
  readonly careFor?: Guid | undefined
}

export function isSettled(holding: Holding): boolean {
  return holding.waitsFor === undefined && holding.settlesAt === undefined
}

/** The zones of one node: one as a rule, more for a while after it has taken over others'. */
export class Territory {
  /** They do not overlap. Bound: {@link claimsMax}. Full: the smallest go; neighbours find that nobody owns them. */
  private held: readonly Holding[] = []

  get holdings(): readonly Holding[] {
    return this.held
  }

  get isEmpty(): boolean {
    return this.held.length === 0
  }

  get isSettled(): boolean {
    return this.held.every(isSettled)
  }

  get volume(): number {
    return volumeOfAll(this.held)
  }

  /** The zone in which the key with these bits lies. */
  at(bits: string): Holding | undefined {
    return this.held.find(({ zone }) => contains(zone, bits))
  }

  overlapping(zone: Zone): Holding[] {
    return this.held.filter((holding) => overlap(holding.zone, zone))
  }

  /** Adds what of the claim's zone is not held yet. */
  add(claim: Claim, { now: since, waitsFor, settlesAt, careFor }: Coming): void {
    let pieces: Zone[] = [claim.zone]
    for (const { zone } of this.overlapping(claim.zone))
      pieces = pieces.flatMap((piece) => (piece.startsWith(zone) ? [] : without(piece, zone)))
    const { version, caretaker } = claim
    const added = pieces.map((zone): Holding => ({ zone, version, caretaker, since, waitsFor, settlesAt, careFor }))
    this.replace([...this.held, ...added])
  }

  /** Gives up `part` of what is held. */
  yield(part: Zone): void {
    this.replace(this.held.flatMap((holding) => without(holding.zone, part).map((zone) => ({ ...holding, zone }))))
  }

  /** The giver has let go, or is gone. True when something was waiting for it. */
  release(giver: Guid): boolean {
    if (!this.held.some(({ waitsFor }) => waitsFor === giver)) return false
    this.replace(this.held.map((holding) => (holding.waitsFor === giver ? { ...holding, waitsFor: undefined } : holding)))
    return true
  }

  /** Nobody else can have taken this zone over: it, or what is left of it, is answered for from now on. */
  conclude(zone: Zone): void {
    this.replace(this.held.map((holding) => (holding.zone.startsWith(zone) ? { ...holding, settlesAt: undefined } : holding)))
  }

  /** Whether the decision about a zone that was taken over is now due later than before. */
  putOff(zone: Zone, settlesAt: Millis): boolean {
    const isEarlier = (holding: Holding): boolean =>
      holding.zone === zone && holding.settlesAt !== undefined && holding.settlesAt < settlesAt
    if (!this.held.some(isEarlier)) return false
    this.replace(this.held.map((holding) => (isEarlier(holding) ? { ...holding, settlesAt } : holding)))
    return true
  }

  /** True when the time of something had come. */
  settle(now: Millis): boolean {
    const isDue = ({ settlesAt }: Holding): boolean => settlesAt !== undefined && settlesAt <= now
    if (!this.held.some(isDue)) return false
    this.replace(this.held.map((holding) => (isDue(holding) ? { ...holding, settlesAt: undefined } : holding)))
    return true
  }

  /** Joins siblings that have both been held since `before` into their parent; says whether there were any. */
  merge(before: Millis, now: Millis): boolean {
    const byZone = new Map(this.held.map((holding) => [holding.zone, holding]))
    const mayMerge = (holding: Holding): boolean => isSettled(holding) && (!holding.caretaker || holding.since <= before)
    for (const holding of this.held) {
      const sibling = holding.zone === '' ? undefined : byZone.get(siblingOf(holding.zone))
      if (sibling === undefined || !mayMerge(holding) || !mayMerge(sibling)) continue
      const merged: Holding = {
        zone: parentOf(holding.zone),
        version: nextVersion(Math.max(holding.version, sibling.version)),
        caretaker: false,
        since: now,
        waitsFor: undefined,
        settlesAt: undefined,
        careFor: undefined,
      }
      this.replace([...this.held.filter((other) => other !== holding && other !== sibling), merged])
      this.merge(before, now)
      return true
    }
    return false
  }

  clear(): void {
    this.held = []
  }

  /** Largest first, then in the order of keys. */
  private replace(held: readonly Holding[]): void {
    this.held = held.toSorted((a, b) => a.zone.length - b.zone.length || (a.zone < b.zone ? -1 : 1)).slice(0, claimsMax)
  }
}
