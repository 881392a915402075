import { addToGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Overlay } from '@plaxton/kbr'
import type { Ownership } from './ownership.ts'
import { membersOf, name } from './overlay-checks.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/** What is asked of a CAN node: its zones, each as the bits with which its keys begin. */
interface ZoneOwner {
  readonly zones: readonly string[]
  readonly claims: ReadonlyArray<{ readonly zone: string }>
  /** What it is in each reality, where there are several. */
  readonly realities?: readonly ZoneOwner[]
}

/**
 * CAN's, in the order of the halvings: the owner of the zone in which the key lies; then whoever has the zone with the least difference from the key, bit by bit, which is whoever shares
 * most halvings with it. Zones are those that the members say they answer for; {@link checkTiling} proves that they are what they should be. Each use needs one of its own.
 */
export function zoneOrder(): Ownership {
  let zones = new Map<Guid, readonly string[]>()
  return {
    name: 'zones',
    look(members: Iterable<Overlay>) {
      zones = new Map([...members].map((overlay) => [overlay.self.id, (overlay as Overlay & ZoneOwner).zones]))
    },
    ranks(key, ids, count) {
      const point = BigInt(`0x${key}`)
      const width = 4 * key.length
      const distances = new Map(ids.map((id) => [id, nearest(point, zones.get(id) ?? [], width)]))
      const compare = (a: Guid, b: Guid): number => {
        const [toA, toB] = [distances.get(a)!, distances.get(b)!]
        return toA < toB || (toA === toB && a < b) ? -1 : 1
      }
      return ids.toSorted(compare).slice(0, count)
    },
    near(key, sorted, count) {
      const bits = BigInt(`0x${key}`)
        .toString(2)
        .padStart(4 * key.length, '0')
      const shared = new Map(sorted.map((id) => [id, mostHalvings(bits, zones.get(id) ?? [])]))
      // Who shares more halvings with the key comes first.
      const least = [...shared.values()].sort((a, b) => b - a)[count - 1]
      return least === undefined ? sorted : sorted.filter((id) => shared.get(id)! >= least)
    },
    boundaries: (sorted) =>
      sorted.flatMap((id) =>
        (zones.get(id) ?? []).flatMap((zone) => {
          const [first, last] = ['0', '1'].map(
            (bit) =>
              BigInt(`0b${zone.padEnd(4 * id.length, bit)}`)
                .toString(16)
                .padStart(id.length, '0') as Guid,
          ) as [Guid, Guid]
          return [id, first, last, addToGuid(first, -1), addToGuid(last, 1)]
        }),
      ),
  }
}

/** The most halvings that one of the zones shares with the key of these bits; all, when the key lies in it; -1 without zones. */
function mostHalvings(bits: string, zones: readonly string[]): number {
  let most = -1
  for (const zone of zones) {
    if (bits.startsWith(zone)) return bits.length
    let depth = 0
    while (zone[depth] === bits[depth]) depth++
    if (depth > most) most = depth
  }
  return most
}

/** The least difference, by exclusive or, between the point and a key in one of the zones. */
function nearest(point: bigint, zones: readonly string[], width: number): bigint {
  let least = 1n << BigInt(width)
  for (const zone of zones) {
    const rest = BigInt(width - zone.length)
    const difference = zone === '' ? 0n : ((point >> rest) ^ BigInt(`0b${zone}`)) << rest
    if (difference < least) least = difference
  }
  return least
}

/** Who claims which zones. */
export function tiling(simulation: Simulation): string {
  const claimsOf = (owner: ZoneOwner): string => owner.claims.map(({ zone }) => zone).join()
  return membersOf(simulation)
    .map(({ id, kbr }) => {
      const owner = kbr.overlay as Overlay & ZoneOwner
      return `${id} ${(owner.realities ?? [owner]).map(claimsOf).join('/')}`
    })
    .join(' ')
}

/** After quiet, the members' zones tile the space, in every reality: none overlaps another, and their volumes add up to all of it, exactly. And nobody claims what it does not answer for. */
export function checkTiling(simulation: Simulation, violations: Violations): void {
  const all = membersOf(simulation).map((node) => ({ node, owner: node.kbr.overlay as Overlay & ZoneOwner }))
  const realities = Math.max(1, ...all.map(({ owner }) => owner.realities?.length ?? 1))
  for (let reality = 0; reality < realities; reality++) {
    const owners = all.map(({ node, owner }) => ({ node, owner: owner.realities?.[reality] ?? owner }))
    checkOneTiling(simulation, violations, owners)
  }
}

function checkOneTiling(
  simulation: Simulation,
  violations: Violations,
  owners: ReadonlyArray<{ readonly node: SimNode; readonly owner: ZoneOwner }>,
): void {
  const zones = owners.flatMap(({ node, owner }) => owner.zones.map((zone) => ({ zone, node })))
  const fail = (why: string): void => violations.add('zones tile the space', simulation.now, why)
  for (const { node, owner } of owners) {
    if (owner.claims.length !== owner.zones.length)
      fail(`${name(node)} claims ${owner.claims.length} zones and answers for ${owner.zones.length}`)
  }
  const sorted = zones.toSorted((a, b) => (a.zone < b.zone ? -1 : 1))
  for (const [i, { zone, node }] of sorted.entries()) {
    const next = sorted[i + 1]
    if (next?.zone.startsWith(zone) === true) fail(`'${zone}' of ${name(node)} overlaps '${next.zone}' of ${name(next.node)}`)
  }
  const deepest = Math.max(0, ...zones.map(({ zone }) => zone.length))
  const volume = zones.reduce((sum, { zone }) => sum + (1n << BigInt(deepest - zone.length)), 0n)
  if (zones.length > 0 && volume !== 1n << BigInt(deepest)) fail(`the volumes add up to ${volume}/${1n << BigInt(deepest)} of the space`)
}
