import type { Guid } from '@plaxton/guid'

/** An id written out, or made from a number, in tests. */
export function id(value: string | number, bits = 8): Guid {
  return (typeof value === 'string' ? value : value.toString(16).padStart(bits / 4, '0')) as Guid
}

/** All 256 ids of 8 bits, in order: `all[n]` is n. */
export const all: readonly Guid[] = Array.from({ length: 256 }, (_, n) => id(n))

/** Every `step`th number of 8 bits, and its neighbours: few enough for all triples, with every kind of adjacency. */
export function sample(step: number): readonly number[] {
  return Array.from({ length: 256 }, (_, n) => n).filter((n) => n % step <= 1 || n >= 254)
}
