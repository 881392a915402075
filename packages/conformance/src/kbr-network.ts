import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, Overlay, Prng } from '@plaxton/kbr'
import type { Ownership } from '@plaxton/simulator'
import type { Journal, KbrProbe } from './kbr-probe.ts'

/** A running node with the suite's own application on it. A node that starts again is another member. */
export interface KbrMember {
  readonly self: NodeRef
  readonly overlay: Overlay
  readonly probe: KbrProbe
  /** A command of the probe: one step of the node. */
  command<T>(run: (fx: AppEffects) => T): T
  /** Looks for the root of `key` iteratively; its id. */
  lookup(key: Guid): Promise<Guid>
}

/** A network of whole nodes on some driver, each with an overlay and a {@link KbrProbe}. What the cases of key-based routing are run on. */
export interface KbrNetwork {
  /** Those that run, in the order they started. */
  readonly members: readonly KbrMember[]
  readonly journal: Journal
  /** Longest time the overlay may take on this driver to join, or to repair itself. */
  readonly patienceMs: Millis
  /** When nothing has changed for so long, nothing will: the slowest exchange that changes neighbours has taken place. */
  readonly quietMs: Millis
  /** Longest payload an application may send. */
  readonly payloadBytesMax: number
  /** Starts `count` nodes at the same moment; resolves when all are members. */
  add(count: number): Promise<KbrMember[]>
  /** Ends nodes without a word, all at the same moment. */
  crash(members: readonly KbrMember[]): Promise<void>
  /** Resolves when the node has handed over, has said good-bye and has ended. */
  leave(member: KbrMember): Promise<void>
  /** Starts a node that has ended again under its id; resolves when it is a member. */
  restart(member: KbrMember): Promise<KbrMember>
  /** Stops all messages between `members` and the others, in both directions; undefined when the driver cannot. */
  readonly cut?: ((members: readonly KbrMember[]) => void) | undefined
  /** Ends that. */
  readonly heal?: (() => void) | undefined
  now(): Millis
  /** Lets time pass until `holds`; rejects and names `what` when that does not come about within `withinMs`. */
  until(holds: () => boolean, what: string | (() => string), withinMs: Millis): Promise<void>
  /** Exceptions out of cores. Drivers on which these end a case at once need not report them. */
  faults?(): readonly Error[]
  close(): Promise<void>
}

/** What an overlay can do, said by whoever makes it; nothing is taken for granted. A part that is missing is declared in the titles of the tests. */
export interface OverlayAbilities {
  /**
   * `range`: `contiguous` when each node's keys of one rank 0 are a single interval, `scattered` when they are several and `range` has to be asked
   * again from the end of each, false when the overlay cannot tell.
   */
  readonly ranges: 'contiguous' | 'scattered' | false
  /** Of several possible next hops it takes a near one. */
  readonly proximity: boolean
  /** Two halves of a network that was cut become one again by themselves. */
  readonly heals: boolean
}

/** What a case is given. */
export interface KbrContext {
  readonly network: KbrNetwork
  readonly ownership: Ownership
  readonly has: OverlayAbilities
  readonly prng: Prng
}

/** A sentence about key-based routing, with the smallest network it can be shown on. */
export interface KbrCase {
  readonly title: string
  /** Nodes it needs at least. Default 1. */
  readonly from?: number
  /** Nodes it can be shown on at most; for cases about a network of few. */
  readonly upTo?: number
  /** Set when nodes come and go in it; it leaves as many as it found. */
  readonly changes?: boolean
  readonly run: (context: KbrContext) => Promise<void>
}

/** The ids of the members in the order in which they are responsible for `key`. */
export function ranksOf(context: KbrContext, key: Guid, count = context.network.members.length): Guid[] {
  const ids = context.network.members.map(({ self }) => self.id)
  return ownershipNow(context).ranks(key, ids, count)
}

/** Keys where responsibility changes between the members, in ascending order of these. */
export function boundariesOf(context: KbrContext, members = context.network.members): Guid[] {
  return ownershipNow(context).boundaries(members.map(({ self }) => self.id).toSorted())
}

/** Whose keys are whose at this moment. */
function ownershipNow({ network, ownership }: KbrContext): Ownership {
  ownership.look?.(network.members.map(({ overlay }) => overlay))
  return ownership
}

export function memberOf({ network }: Pick<KbrContext, 'network'>, id: Guid): KbrMember {
  const member = network.members.find(({ self }) => self.id === id)
  if (member === undefined) throw new Error(`${id} is no member`)
  return member
}

/** The member responsible for `key`. */
export function rootOf(context: KbrContext, key: Guid): KbrMember {
  return memberOf(context, ranksOf(context, key, 1)[0]!)
}

/** The same, with only some of the members: one side of a cut. */
export function among(context: KbrContext, members: readonly KbrMember[]): KbrContext {
  return { ...context, network: Object.create(context.network, { members: { value: members } }) as KbrNetwork }
}

/** More neighbours than any overlay keeps. */
export const allNeighbors = 1_000
