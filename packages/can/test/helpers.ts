import type { Claim } from '../src/claim.ts'
import type { Zone } from '../src/zone.ts'

export const zone = (bits: string): Zone => bits as Zone
export const claim = (bits: string, version = 0, caretaker = false): Claim => ({ zone: zone(bits), version, caretaker })

/** Every zone of so many halvings. */
export function zonesOf(depth: number): Zone[] {
  return Array.from({ length: 2 ** depth }, (_, i) => zone(depth === 0 ? '' : i.toString(2).padStart(depth, '0')))
}
