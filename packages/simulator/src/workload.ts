import type { Application, Millis, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from './simulation.ts'

/** A service under the mix: its nodes, what they are asked to do, and what must then be so. */
export interface Workload {
  /** The application of one node. */
  application(prng: Prng): Application
  /** Starts to listen. */
  watch(simulation: Simulation): void
  /** Says that messages are being lost or cut off, or no longer. */
  setImpaired(impaired: boolean): void
  /** Gives commands at random times until `untilMs`. */
  giveCommands(untilMs: Millis): void
  /** How long after the end of all disturbance the service may take to heal, on top of the overlay. */
  readonly healMs: Millis
  /** After quiet; runs the simulation on. */
  check(prng: Prng): void
}

/** A random member that is not leaving. */
export function anyMember(simulation: Simulation, prng: Prng): SimNode | undefined {
  return prng.pick(simulation.running().filter((node) => node.ready && !node.leaving))
}
