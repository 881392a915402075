import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'

/** Any id of 256 bits. Half of them are near 0, the middle or the end of the ring, where carries and wraps happen. */
export const guids: fc.Arbitrary<Guid> = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
    fc
      .tuple(fc.constantFrom(0n, 1n << 255n, 1n << 128n, (1n << 256n) - 1n), fc.bigInt({ min: -300n, max: 300n }))
      .map(([corner, off]) => corner + off),
  )
  .map((n) => BigInt.asUintN(256, n).toString(16).padStart(64, '0') as Guid)

/** The number an id stands for. */
export function number(guid: Guid): bigint {
  return BigInt(`0x${guid}`)
}
