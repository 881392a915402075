import { InvalidGuidError } from './errors.ts'
import type { Guid } from './guid.ts'

/** Two ids of different widths come from different networks: a mistake of the caller that would otherwise give a wrong answer quietly. */
export function requireOneWidth(a: Guid, b: Guid): void {
  if (a.length !== b.length) throw new InvalidGuidError('guid', b, `as wide as the other id, ${4 * a.length} bits`)
}

/** The number an id stands for. */
export function toBigInt(guid: Guid): bigint {
  return BigInt(`0x${guid}`)
}

/** The id of `number` mod 16^length, with `length` characters. */
export function fromBigInt(number: bigint, length: number): Guid {
  return BigInt.asUintN(4 * length, number)
    .toString(16)
    .padStart(length, '0') as Guid
}
