import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import type { Claim } from '../src/claim.ts'
import type { Zone } from '../src/zone.ts'

export const guid = (hex: string): Guid => hex as Guid
export const zone = (bits: string): Zone => bits as Zone
export const ref = (id: string, epoch = 1): NodeRef => ({ id: guid(id), address: `test:${id}`, epoch })
export const claim = (bits: string, version = 0, caretaker = false): Claim => ({ zone: zone(bits), version, caretaker })

/** Every zone of so many halvings. */
export function zonesOf(depth: number): Zone[] {
  return Array.from({ length: 2 ** depth }, (_, i) => zone(depth === 0 ? '' : i.toString(2).padStart(depth, '0')))
}
