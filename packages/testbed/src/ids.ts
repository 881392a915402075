import type { Guid } from '@plaxton/guid'
import type { NodeRef, Prng } from '@plaxton/kbr'

export function guid(hex: string): Guid {
  return hex as Guid
}

export function ref(id: string, epoch = 1): NodeRef {
  return { id: guid(id), address: `test:${id}`, epoch }
}

/** An 8-bit id. */
export function byte(value: number): Guid {
  return guid((value & 255).toString(16).padStart(2, '0'))
}

/** `count` different 8-bit ids. */
export function someBytes(prng: Prng, count: number): Guid[] {
  return someValues(prng, count).map(byte)
}

/** The same, as numbers. */
export function someValues(prng: Prng, count: number): number[] {
  return prng.shuffle(Array.from({ length: 256 }, (_, i) => i)).slice(0, count)
}
