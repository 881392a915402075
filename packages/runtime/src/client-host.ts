import type { AppEffects, Application, KbrEvent, Millis } from '@plaxton/kbr'
import type { Clock } from './clock.ts'

/**
 * What clients, promises over one application's core, need of the host it runs on. `NodeHost` is one on real time; another driver may give its own, such
 * as one node of a simulation.
 */
export interface ClientHost {
  readonly clock: Clock
  /** Runs one step for a command of `application`; what `run` throws is thrown. Throws `NotReadyError` when the node does not run. */
  command<T>(application: Application, run: (now: Millis, fx: AppEffects) => T): T
  /** The public key that `application` signs with here. */
  publicKey(application: Application): Uint8Array
  /**
   * Calls `observer` with every event, in a microtask after the step that caused it, and last with `host:stopped`; returns what ends that.
   */
  observe(observer: (event: KbrEvent) => void): () => void
}
