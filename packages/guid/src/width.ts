import { InvalidGuidError } from './errors.ts'
import type { Guid } from './guid.ts'

/** Two ids of different widths come from different networks: a mistake of the caller that would otherwise give a wrong answer quietly. */
export function requireOneWidth(a: Guid, b: Guid): void {
  if (a.length !== b.length) throw new InvalidGuidError('guid', b, `as wide as the other id, ${4 * a.length} bits`)
}
