import type { Application, Millis, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from './simulation.ts'

/** A service under trial: its nodes, and what must be so in the end. */
export interface ServiceUnderTest {
  /** The application of one node. */
  application(prng: Prng): Application
  /** Starts to listen. */
  watch(simulation: Simulation): void
  /** Says that messages are being lost or cut off, or no longer. */
  setImpaired(impaired: boolean): void
  /** How long after the end of all disturbance the service may take to heal, on top of the overlay. */
  readonly healMs: Millis
  /** After quiet; runs the simulation on. */
  check(prng: Prng): void
}

/** A random member that is not leaving. */
export function anyMember(simulation: Simulation, prng: Prng): SimNode | undefined {
  return prng.pick(simulation.running().filter((node) => node.ready && !node.leaving))
}
