import type { Millis, Prng } from '@plaxton/kbr'
import type { Clocks } from './clocks.ts'
import type { Network } from './network.ts'

/** What distinguishes hosts from each other; drawn for each when it comes. */
export interface HostTraits {
  /** This share of the hosts is slow: so much is added to every message from and to them. */
  readonly slow?: { readonly share: number; readonly ms: Millis }
  /** Each clock gains or loses up to this much of the time that passes, evenly at random. */
  readonly drift?: number
}

export function giveTraits(
  { slow, drift }: HostTraits,
  host: number,
  { prng, network, clocks, now }: { readonly prng: Prng; readonly network: Network; readonly clocks: Clocks; readonly now: Millis },
): void {
  if (slow !== undefined && prng.chance(slow.share)) network.setSlowness(host, slow.ms)
  if (drift !== undefined) clocks.setDrift(host, drift * (2 * prng.nextFloat() - 1), now)
}
