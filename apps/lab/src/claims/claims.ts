import { anonymity } from './anonymity.ts'
import type { Exhibit, Ground } from './exhibit.ts'
import { faultTolerance } from './fault-tolerance.ts'
import { loadBalancing } from './load-balancing.ts'
import { networkDynamics } from './network-dynamics.ts'
import { scale } from './scale.ts'
import { security } from './security.ts'
import { targetIdentification } from './target-identification.ts'

/**
 * What is claimed for routing at application level over routing by IP alone: the rows of the comparison in Coulouris, Dollimore, Kindberg and Blair,
 * "Distributed Systems", chapter 10, in its order and in our words.
 */
export const claims: Readonly<Record<string, (ground: Ground) => Exhibit | Promise<Exhibit>>> = {
  scale,
  'load-balancing': loadBalancing,
  'network-dynamics': networkDynamics,
  'fault-tolerance': faultTolerance,
  'target-identification': targetIdentification,
  security,
  anonymity,
}
