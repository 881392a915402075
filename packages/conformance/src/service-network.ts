import type { Guid } from '@plaxton/guid'
import type { Application, Millis, OverlayFactory, Prng } from '@plaxton/kbr'
import { frame } from '@plaxton/routing'
import { systemClock } from '@plaxton/runtime'
import type { Clock } from '@plaxton/runtime'
import { encode } from '@plaxton/wire'
import { mutate, randomBytes } from './mutate.ts'
import type { Case, Suite } from './suite.ts'

/** A running node with a service on it. A node that starts again is another one with the same id. */
export interface ServiceNode<S> {
  readonly id: Guid
  readonly service: S
}

/** Nodes with a service on each, on any driver. What the cases of a service are run on. */
export interface ServiceNetwork<S> {
  /** Those that run, in the order they started. */
  readonly nodes: readonly ServiceNode<S>[]
  /** Starts a new node; resolves when it is a member. */
  add(): Promise<ServiceNode<S>>
  /** Ends a node without a word: nothing is handed over, nobody is told. */
  crash(node: ServiceNode<S>): Promise<void>
  /** Resolves when the node has handed over, has said good-bye and has ended. */
  leave(node: ServiceNode<S>): Promise<void>
  /** Starts a node that has ended again, with its id, its keys and what its disk holds; resolves when it is a member. */
  restart(node: ServiceNode<S>): Promise<ServiceNode<S>>
  /** Somebody who can reach the nodes and is none of them; undefined when the driver knows no such thing. */
  readonly stranger?: (() => Promise<Stranger<S>>) | undefined
  /** What the cases measure and wait by. Default: the platform's. */
  readonly clock?: Clock
  /** Runs a case or a preparation while time passes. Undefined where time passes by itself. */
  readonly drive?: <T>(run: () => Promise<T>) => Promise<T>
  /** Cuts these nodes off from all others, until {@link heal}; undefined when the driver cannot. */
  cut?(nodes: readonly ServiceNode<S>[]): void
  heal?(): void
  /** Exceptions out of cores so far: there must be none. */
  faults(): readonly Error[]
  close(): Promise<void>
}

export interface Stranger<S> {
  /** Frames that nodes of this network sent to each other, to be sent again with changes. */
  readonly overheard: readonly Uint8Array[]
  send(to: ServiceNode<S>, frame: Uint8Array): void
  close(): Promise<void>
}

/**
 * Servers of a service that needs some. They are none of the network's own nodes: they start first, know each other, live as long as the network, and every
 * node is told of all of them, and of nobody else, when it joins.
 */
export interface ServiceServers {
  readonly count: number
  readonly overlay: () => OverlayFactory
  readonly application: (prng: Prng) => Application
}

/** Opens a network of so many nodes. */
export type OpenNetwork<S> = (count: number) => Promise<ServiceNetwork<S>>

/** What a case about a service is given: the network as the case before left it. */
export type ServiceCase<S> = readonly [title: string, run: (network: ServiceNetwork<S>) => Promise<void>]

/** Cases for networks of each of these sizes, ascending, and then those that need the last. One network grows for all of them. */
export function serviceSuite<S>(
  title: string,
  init: { readonly open: OpenNetwork<S>; readonly sizes: readonly number[] },
  anySize: readonly ServiceCase<S>[],
  largest: ReadonlyArray<readonly [title: string, cases: ReadonlyArray<ServiceCase<S> | Case>]>,
): Suite {
  let network: ServiceNetwork<S> | undefined
  const current = (): ServiceNetwork<S> => {
    if (network === undefined) throw new Error('the network could not be opened')
    return network
  }
  const drive = (run: (network: ServiceNetwork<S>) => Promise<void>): Promise<void> => {
    const driven = current()
    return driven.drive === undefined ? run(driven) : driven.drive(() => run(driven))
  }
  const toCase = (each: ServiceCase<S> | Case): Case => ('title' in each ? each : { title: each[0], run: () => drive(each[1]) })
  const grow = (count: number): Promise<void> =>
    drive(async (grown) => {
      while (grown.nodes.length < count) await grown.add()
    })
  const sizes = init.sizes.map((count) => ({
    title: count === 1 ? 'alone' : `with ${count} nodes`,
    before: () => grow(count),
    cases: anySize.map(toCase),
  }))
  return {
    title,
    before: async () => {
      network = await init.open(1)
    },
    after: async () => {
      await network?.close()
      const [fault] = network?.faults() ?? []
      if (fault !== undefined) throw new Error(`a core threw: ${fault.message}`, { cause: fault })
    },
    suites: [
      ...sizes,
      ...largest.map(([part, cases]) => ({ title: part, before: () => grow(init.sizes.at(-1)!), cases: cases.map(toCase) })),
    ],
  }
}

/** What is declared of a driver without strangers. */
export const noStrangers = 'this driver lets no stranger send anything, so rubbish is not tested here'

/** What is declared of a driver that cannot cut. */
export const noCuts = 'this driver cannot cut a network in two, so that is not tested here'

/** Frames that a stranger sends. More would only take longer. */
const strangeFrames = 400

/** A stranger sends rubbish, frames that others sent, such with changes, and messages to the application with anything in them. */
export async function annoy<S>(network: ServiceNetwork<S>, application: string, prng: Prng): Promise<void> {
  const stranger = await network.stranger!()
  try {
    for (let i = 0; i < strangeFrames; i++) {
      const to = prng.pick(network.nodes)!
      const heard = prng.pick(stranger.overheard) ?? randomBytes(prng, 100)
      const other = prng.pick(stranger.overheard) ?? heard
      const payload = mutate(prng, heard, other).subarray(0, 2_000)
      const strange = [
        () => randomBytes(prng, 1 + prng.nextInt(200)),
        () => heard,
        () => mutate(prng, heard, other),
        () => encode(frame, { type: 'tell', application, payload }),
        () => encode(frame, { type: 'request', seq: i, application, payload, withinMs: 1_000 }),
        () =>
          encode(frame, {
            type: 'route',
            seq: i,
            nonce: 1 + i,
            key: to.id,
            application,
            payload,
            hops: 1,
            cursor: 0,
            replyWithinMs: 100,
            keepPath: false,
            path: [],
          }),
      ]
      stranger.send(to, prng.pick(strange)!())
      if (i % 20 === 0) await pause(network, 5)
    }
    await pause(network, 200)
  } finally {
    await stranger.close()
  }
}

/** Lets the nodes get on. */
function pause({ clock = systemClock }: TimedNetwork, ms: Millis): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}

/** Tries until it holds, on a network that needs time to repair itself; rejects with the last failure after `withinMs`. */
export async function eventually<T>(network: TimedNetwork, attempt: () => Promise<T>, withinMs: Millis = 20_000): Promise<T> {
  const { clock = systemClock } = network
  const end = clock.now() + withinMs
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 5_000)) {
    try {
      return await attempt()
    } catch (error) {
      if (clock.now() + pauseMs > end) throw error
      await pause(network, pauseMs)
    }
  }
}

/** Rejects when a call has not ended `withinMs` after it began; tells how it ended and after which time. */
export async function ended(
  { clock = systemClock }: TimedNetwork,
  call: PromiseLike<unknown>,
  withinMs: Millis,
): Promise<{ readonly error: Error | undefined; readonly elapsedMs: Millis }> {
  const started = clock.now()
  const late = Promise.withResolvers<never>()
  const callOff = clock.after(withinMs, () => late.reject(new Error(`the call had not ended after ${withinMs} ms`)))
  try {
    const error = await Promise.race([
      Promise.resolve(call).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      ),
      late.promise,
    ])
    return { error, elapsedMs: clock.now() - started }
  } finally {
    callOff()
  }
}

const named = new WeakMap<object, number>()

/** Words for something that this network has never heard of; where time is virtual, the same ones each time. */
export function newName(network: TimedNetwork): string {
  const { clock = systemClock } = network
  const count = named.get(network) ?? 0
  named.set(network, count + 1)
  return `object ${count} ${clock.now()}`
}

type TimedNetwork = Pick<ServiceNetwork<unknown>, 'clock'>
