import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { Files } from '@plaxton/files'
import { PlaxtonError } from '@plaxton/kbr'
import { addressesOf, dolr, overlay, past } from '@plaxton/libp2p'
import { createLibp2p } from 'libp2p'
import { openDataDirectory } from './data-directory.ts'
import { isLoopback, portCameTo } from './listen.ts'
import type { Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import type { BlockOptions } from '@plaxton/files'
import type { NodeRef } from '@plaxton/kbr'
import type { DolrService, OverlayService, PastService } from '@plaxton/libp2p'
import type { DaemonConfig } from './config.ts'
import type { DataDirectory } from './data-directory.ts'

/** What a node is made of; where its clients reach it is not its business. */
export type PlaxtonNodeInit = Omit<DaemonConfig, 'control'>

type Services = { identify: Identify; overlay: OverlayService; past: PastService; dolr: DolrService }

/** How long changes of the neighbours are gathered before they are written down. A node that is killed within this time forgets the latest. */
const rememberDelayMs = 200

/** Neighbours asked of the overlay: more than any usual leaf set has. */
const maxNeighbors = 64

/** One node with everything it consists of, on a data folder of its own. */
export class PlaxtonNode {
  readonly directory: DataDirectory
  readonly libp2p: Libp2p<Services>
  private readonly init: PlaxtonNodeInit
  private rememberTimer: NodeJS.Timeout | undefined

  private constructor(init: PlaxtonNodeInit, directory: DataDirectory, libp2p: Libp2p<Services>) {
    this.init = init
    this.directory = directory
    this.libp2p = libp2p
  }

  /** Starts a node, which then joins in the background: see `overlay.whenReady`. Rejects when its folder is in use or it cannot listen. */
  static async start(init: PlaxtonNodeInit): Promise<PlaxtonNode> {
    const directory = await openDataDirectory(init.data, init.puzzleBits)
    try {
      const node = new PlaxtonNode(init, directory, await startLibp2p(init, directory))
      node.rememberNetwork()
      return node
    } catch (error) {
      await directory.close()
      throw error
    }
  }

  get overlay(): OverlayService {
    return this.libp2p.services.overlay
  }

  get past(): PastService {
    return this.libp2p.services.past
  }

  get dolr(): DolrService {
    return this.libp2p.services.dolr
  }

  /** Where others reach this node; each ends in its PeerId. */
  get multiaddrs(): string[] {
    return this.libp2p.getMultiaddrs().map((each) => each.toString())
  }

  /** The nodes next to those of this host in the id space, on other hosts; each once. */
  get neighbors(): NodeRef[] {
    const { nodes } = this.overlay
    const own = new Set(nodes.map(({ self }) => self.id))
    const near = nodes.filter(({ ready }) => ready).flatMap(({ node }) => node.overlay.neighborSet(maxNeighbors))
    return [...new Map(near.filter(({ id }) => !own.has(id)).map((ref) => [ref.id, ref])).values()]
  }

  /** Files stored in these ways. */
  files(options: BlockOptions = {}): Files {
    return new Files(this.past, options)
  }

  /** Hands over, says goodbye, and lets go of everything. */
  async stop(): Promise<void> {
    clearTimeout(this.rememberTimer)
    await this.libp2p.stop()
    await this.directory.memory.note({})
    await this.directory.close()
  }

  /** Ends as a killed process does, for others to notice: connections are cut and nobody is told. */
  async crash(): Promise<void> {
    clearTimeout(this.rememberTimer)
    const stopped = this.overlay.crash()
    for (const connection of this.libp2p.getConnections()) connection.abort(new Error('the node was killed'))
    await stopped
    await this.libp2p.stop()
    await this.directory.close()
  }

  /** Writes down where this node listens now, and its neighbours whenever they change. */
  private rememberNetwork(): void {
    const { memory } = this.directory
    const listen = Object.fromEntries(
      this.init.listen.flatMap((address) => {
        const actual = portCameTo(address, this.multiaddrs)
        return actual === undefined ? [] : [[address, actual]]
      }),
    )
    void memory.note({ listen })
    const soon = (): void => {
      this.rememberTimer ??= setTimeout(() => {
        this.rememberTimer = undefined
        void this.rememberNeighbors()
      }, rememberDelayMs)
    }
    this.overlay.addEventListener('neighbor', soon)
    this.overlay.addEventListener('ready', soon)
  }

  /** The neighbours of now before those of earlier, which may be all that is left when everybody restarts at once. */
  private async rememberNeighbors(): Promise<void> {
    const { memory } = this.directory
    if (!this.overlay.ready) return
    const neighbors = [...new Set(this.neighbors.flatMap(addressesOf))]
    const former = memory.now.peers.filter((address) => !neighbors.includes(address))
    await memory.note({ peers: [...neighbors, ...former] })
  }
}

/** Listens where the node listened last, unless somebody else does by now: then wherever there is room. */
async function startLibp2p(init: PlaxtonNodeInit, directory: DataDirectory): Promise<Libp2p<Services>> {
  const remembered = init.listen.map((address) => directory.memory.now.listen[address] ?? address)
  try {
    return await startListening(remembered, init, directory)
  } catch (error) {
    if (remembered.every((address, index) => address === init.listen[index])) throw error
    return startListening(init.listen, init, directory)
  }
}

async function startListening(listen: readonly string[], init: PlaxtonNodeInit, directory: DataDirectory): Promise<Libp2p<Services>> {
  const libp2p = await assemble(listen, init, directory)
  try {
    await libp2p.start()
    return libp2p
  } catch (error) {
    await Promise.allSettled([libp2p.stop()])
    throw asListenError(error)
  }
}

/** The libp2p node, not started. */
async function assemble(listen: readonly string[], init: PlaxtonNodeInit, directory: DataDirectory): Promise<Libp2p<Services>> {
  const { peers } = directory.memory.now
  return createLibp2p({
    start: false,
    privateKey: directory.identity,
    addresses: { listen: [...listen] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    ...(init.listen.every(isLoopback) ? { connectionManager: loopbackLimits } : {}),
    // The overlay probes its neighbours itself; libp2p's own pings cost 1.5 ms of CPU per connection every 10 s.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify(),
      overlay: overlay(init.overlay, {
        network: init.network,
        bootstrap: [...new Set([...init.bootstrap, ...peers])],
        virtualNodes: init.virtualNodes,
        puzzleBits: init.puzzleBits,
      }),
      past: past({ ...init.past, store: directory.store, owner: directory.owner }),
      dolr: dolr(init.dolr),
    },
  })
}

/** libp2p tells of a taken port with a page of advice and a stack; a user needs one sentence. */
function asListenError(error: unknown): unknown {
  const failure = error instanceof Error ? /(\/\S+): Error: listen (\w+): ([^\n]+)/.exec(error.message) : null
  if (failure === null) return error
  const [, address = '', code = '', why = ''] = failure
  return new PlaxtonError('ListenError', `ERR_${code}`, `cannot listen at ${address}, ${why}: say another address with --listen`, {
    cause: error,
  })
}

/**
 * libp2p cuts more than 5 inbound connections per second from one address, and more than 10 at a time in the handshake. On loopback all
 * nodes of a network share one address, so these limits would keep them apart instead of protecting them.
 */
const loopbackLimits = { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 1_000 }
