import type { Guid } from '@plaxton/guid'

declare const zoneBrand: unique symbol

/**
 * A zone of the coordinate space, named by the halvings that lead to it from the whole: `''` is everything, `'0'` its lower half in dimension 0, `'01'` the upper half
 * of that in dimension 1, and so on through the dimensions in turn (SIGCOMM 2001, §2.2: in a fixed order, so that zones can merge again).
 *
 * Bit i of a key belongs to dimension i mod d, so a key lies in a zone exactly when its bits begin with the zone's, in however many dimensions.
 */
export type Zone = string & { readonly [zoneBrand]: true }

export const everything = '' as Zone

/** True for zeros and ones only, at most `maxDepth` of them. */
export function isZone(value: string, maxDepth: number): value is Zone {
  return value.length <= maxDepth && /^[01]*$/.test(value)
}

/** The bits of a key, the first one first. */
export function bitsOf(key: Guid): string {
  let bits = ''
  for (let i = 0; i < key.length; i++) bits += nibbles[Number.parseInt(key.charAt(i), 16)]!
  return bits
}

/**
 * The point of a node in a reality: in the first its id; in the second, third and fourth its id turned by a quarter each, so that its other bits come first. These are as good as drawn anew where ids
 * are, and nobody's choice either.
 */
export function pointIn(reality: number, id: Guid): Guid {
  const turn = Math.ceil((reality * id.length) / realitiesMax)
  return (id.slice(turn) + id.slice(0, turn)) as Guid
}

/** Most coordinate spaces of one network: a quarter of an id for each leads to its zone. */
export const realitiesMax = 4

export function contains(zone: Zone, bits: string): boolean {
  return bits.startsWith(zone)
}

/** Whether they have a key in common: then one lies within the other. */
export function overlap(a: Zone, b: Zone): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

export function halves(zone: Zone): [Zone, Zone] {
  return [(zone + '0') as Zone, (zone + '1') as Zone]
}

/** What the zone was before the last halving; not of {@link everything}. */
export function parentOf(zone: Zone): Zone {
  return zone.slice(0, -1) as Zone
}

/** The other half of its parent; not of {@link everything}. */
export function siblingOf(zone: Zone): Zone {
  return (parentOf(zone) + (zone.endsWith('0') ? '1' : '0')) as Zone
}

/** What is left of `zone` without `part`, as few zones as possible, the largest first. */
export function without(zone: Zone, part: Zone): Zone[] {
  if (zone.startsWith(part)) return []
  if (!part.startsWith(zone)) return [zone]
  const rest: Zone[] = []
  for (let depth = zone.length + 1; depth <= part.length; depth++) rest.push(siblingOf(part.slice(0, depth) as Zone))
  return rest
}

/** Its share of the space. */
export function volumeOf(zone: Zone): number {
  return 2 ** -zone.length
}

export function volumeOfAll(claims: ReadonlyArray<{ readonly zone: Zone }>): number {
  return claims.reduce((sum, { zone }) => sum + volumeOf(zone), 0)
}

/** The lowest and the highest key of a zone, of ids with `length` characters. */
export function firstKey(zone: Zone, length: number): Guid {
  return guidOfBits(zone.padEnd(4 * length, '0'))
}

export function lastKey(zone: Zone, length: number): Guid {
  return guidOfBits(zone.padEnd(4 * length, '1'))
}

/**
 * Bit by bit where a zone differs from a key: of two zones that do not overlap, the one whose text is less is closer to the key. This is the order of the trie of halvings:
 * the zone with the key, then what shares most halvings with it.
 */
export function differenceFrom(bits: string, zone: Zone): string {
  let difference = ''
  for (let i = 0; i < zone.length; i++) difference += zone[i] === bits[i] ? '0' : '1'
  return difference
}

const nibbles = Array.from({ length: 16 }, (_, value) => value.toString(2).padStart(4, '0'))

function guidOfBits(bits: string): Guid {
  let hex = ''
  for (let i = 0; i < bits.length; i += 4) hex += Number.parseInt(bits.slice(i, i + 4), 2).toString(16)
  return hex as Guid
}
