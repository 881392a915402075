import type { Prng } from '@plaxton/kbr'

/** What one system calls an object it stores: whatever its own `put` answers with. */
export type Key = Uint8Array | string

/** A system that can be measured: how a network of it comes up in this process, on loopback. */
export interface System {
  readonly name: string
  /** What it does otherwise than the rest, to stand beside its figures: what it encrypts, how many copies it keeps, when a put is done. */
  readonly differs: string
  /** The nodes of one network, all started at once but the first; resolves when each calls itself ready. */
  start(size: number, prng: Prng): Promise<Network>
}

/** A running network; nodes go by their place in the order in which they were started. Every call takes {@link callMs} at most. */
export interface Network {
  put(at: number, value: Uint8Array): Promise<Key>
  /** The value, or undefined when it was not found. */
  get(at: number, key: Key): Promise<Uint8Array | undefined>
  /** Tells the network that this node has what `topic` (32 bytes) stands for. */
  provide(at: number, topic: Uint8Array): Promise<void>
  /** Whether any provider was found; done at the first. */
  find(at: number, topic: Uint8Array): Promise<boolean>
  /** Starts one node more, known to be ready when this resolves, and gives its place. */
  add(): Promise<number>
  /** Ends a node without a word to the others. */
  kill(at: number): Promise<void>
  /** Connections held, each counted once; 0 where there are none but datagrams. */
  connections(): number
}

/** The longest that a call may take before it counts as failed: what peers' own defaults are near. */
export const callMs = 20_000

/** The replicas that are asked for wherever a system lets one choose: PAST's default (SOSP 2001). */
export const replicas = 5

/** Has `size` nodes: one, then all others at once. */
export async function grown<N extends Network>(network: N, size: number): Promise<N> {
  await network.add()
  await Promise.all(Array.from({ length: size - 1 }, () => network.add()))
  return network
}
