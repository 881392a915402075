import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Identify } from '@libp2p/identify'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import type { Libp2p, Libp2pOptions, ServiceFactoryMap } from 'libp2p'

/** How a node of a local swarm listens. */
type Transport = 'tcp' | 'ws' | 'none'

export interface LocalNodeInit<Services extends Record<string, unknown>> {
  readonly services: ServiceFactoryMap<Services>
  readonly transport?: Transport
  /** For a node that comes back: same key, same port. */
  readonly privateKey?: PrivateKey
  readonly port?: number
  readonly datastore?: Libp2pOptions['datastore']
  readonly metrics?: Libp2pOptions['metrics']
  readonly start?: boolean
}

/**
 * A libp2p node on loopback with noise, yamux and identify, for many of its kind in one process.
 *
 * Two settings differ from libp2p's defaults, and any local swarm needs both: more than 5 inbound connections per second from one
 * address are cut (`inboundConnectionThreshold`) and more than 10 at a time refused, but here all nodes share an address; and the
 * connection monitor's pings cost 1.5 ms of CPU per connection and 10 s, while the overlay probes its neighbours itself.
 */
export async function localNode<Services extends Record<string, unknown>>(
  init: LocalNodeInit<Services>,
): Promise<Libp2p<Services & { identify: Identify }>> {
  const { services, transport = 'tcp', port = 0, privateKey, datastore, metrics, start = true } = init
  const listen = transport === 'none' ? [] : [`/ip4/127.0.0.1/tcp/${port}${transport === 'ws' ? '/ws' : ''}`]
  const options = {
    addresses: { listen },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 10_000, maxIncomingPendingConnections: 1_000 },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ...services },
    start,
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(datastore === undefined ? {} : { datastore }),
    ...(metrics === undefined ? {} : { metrics }),
  }
  return await createLibp2p(options as unknown as Libp2pOptions<Services & { identify: Identify }>)
}

/** Nodes, or anything else with an end, to be ended after the test. */
export class Cleanup {
  private tasks: Array<() => unknown> = []

  add<T extends { stop(): unknown }>(thing: T): T {
    this.tasks.push(() => thing.stop())
    return thing
  }

  defer(task: () => unknown): void {
    this.tasks.push(task)
  }

  /** Ends all, the latest first. */
  async run(): Promise<void> {
    const tasks = this.tasks.reverse()
    this.tasks = []
    for (const task of tasks) await task()
  }
}

/** Settles with `promise`, or rejects naming `what` after `ms`: no test waits for ever. */
export async function within<T>(promise: Promise<T>, what: string, ms = 5_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves once `holds` does; for state that no event announces. */
export async function until(holds: () => boolean, what: string | (() => string), ms = 5_000): Promise<void> {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${typeof what === 'string' ? what : what()}: not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The nodes' connections to `peer`, cut as a pulled cable would. */
export function cut(node: Libp2p, peer: PeerId): void {
  for (const connection of node.getConnections(peer)) connection.abort(new Error('cut by the test'))
}
