import type { NodeRef, Prng } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands } from './errands.ts'
import type { Registration } from './registration.ts'
import type { Servers } from './servers.ts'

/** What the exchanges of one client work with. */
export interface ClientParts {
  readonly config: ClientConfig
  readonly prng: Prng
  readonly errands: Errands
  readonly servers: Servers
  readonly registration: Registration
}

/** `a, b and c` by the first digits of their ids. */
export function namesOf(nodes: readonly NodeRef[]): string {
  const names = nodes.map((node) => node.id.slice(0, 8))
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
