import type { Guid } from '@plaxton/guid'
import type { NodeRef, Prng } from '@plaxton/kbr'

export function guid(id: string): Guid {
  return id as Guid
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
  return prng.shuffle(Array.from({ length: 256 }, (_, i) => byte(i))).slice(0, count)
}

/** The slow and obvious order of responsibility for an 8-bit key: clockwise from it. */
export function clockwiseFrom(key: string, ids: readonly Guid[]): Guid[] {
  const steps = (id: string): number => (parseInt(id, 16) - parseInt(key, 16)) & 255
  return [...ids].sort((a, b) => steps(a) - steps(b))
}
