import { generateKeyPair } from '@libp2p/crypto/keys'
import { guidOfPeer } from '@plaxton/guid'
import { centralIndex, indexServer } from '../../src/index.ts'
import { linkNode } from './links.ts'
import { Cleanup, localNode } from './swarm.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { OpenNetwork, ServiceNetwork, ServiceNode, Stranger } from '@plaxton/conformance'
import type { Libp2p } from 'libp2p'
import type { CentralIndexService, IndexServerService } from '../../src/index.ts'

type Node = Libp2p<{ index: CentralIndexService }>

/** Opens networks of clients of a central index, on loopback TCP, with so many servers beside them. */
export function indexOnLoopback(servers: number): OpenNetwork<CentralIndexService> {
  return async (count) => {
    const network = new IndexNetwork()
    while (network.servers.length < servers) await network.addServer()
    while (network.nodes.length < count) await network.add()
    return network
  }
}

class IndexNetwork implements ServiceNetwork<CentralIndexService> {
  readonly nodes: Array<ServiceNode<CentralIndexService>> = []
  readonly servers: Array<Libp2p<{ index: IndexServerService }>> = []
  private readonly thrown: Error[] = []
  private readonly machines = new Map<ServiceNode<CentralIndexService>, { readonly node: Node; readonly privateKey: PrivateKey }>()

  /** Knows those before it, and they learn of it. */
  async addServer(): Promise<void> {
    const addresses = this.servers.flatMap((server) => server.getMultiaddrs())
    const server = await localNode({ services: { index: indexServer({ servers: addresses }) } })
    const { self } = server.services.index
    await Promise.all(this.servers.map(async (other) => other.services.index.nodeHost.meet([self])))
    this.servers.push(server)
  }

  async add(): Promise<ServiceNode<CentralIndexService>> {
    return this.start(await generateKeyPair('Ed25519'))
  }

  /** As if its machine lost power: no good-bye, the sockets gone. */
  async crash(node: ServiceNode<CentralIndexService>): Promise<void> {
    const libp2p = this.take(node)
    await libp2p.services.index.nodeHost.stop()
    for (const connection of libp2p.getConnections()) connection.abort(new Error('pulled'))
    await libp2p.stop()
  }

  async leave(node: ServiceNode<CentralIndexService>): Promise<void> {
    await this.take(node).stop()
  }

  restart(node: ServiceNode<CentralIndexService>): Promise<ServiceNode<CentralIndexService>> {
    return this.start(this.machines.get(node)!.privateKey)
  }

  async stranger(): Promise<Stranger<CentralIndexService>> {
    const cleanup = new Cleanup()
    const { link } = await linkNode(cleanup, { network: 'default', overlay: 'central-index' })
    const send = (to: ServiceNode<CentralIndexService>, frame: Uint8Array): void =>
      link.send(this.machines.get(to)!.node.services.index.self, frame)
    // What others say to each other is encrypted.
    return { overheard: [], send, close: () => cleanup.run() }
  }

  faults(): readonly Error[] {
    return this.thrown
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(async (node) => this.machines.get(node)!.node.stop()))
    await Promise.all(this.servers.map(async (server) => server.stop()))
  }

  private async start(privateKey: PrivateKey): Promise<ServiceNode<CentralIndexService>> {
    const servers = this.servers.flatMap((server) => server.getMultiaddrs())
    const libp2p = await localNode({ services: { index: centralIndex({ servers }) }, privateKey, start: false })
    libp2p.services.index.addEventListener('host:fault', ({ detail }) => void this.thrown.push(detail.error))
    await libp2p.start()
    const node = { id: guidOfPeer(libp2p.peerId), service: libp2p.services.index }
    this.nodes.push(node)
    this.machines.set(node, { node: libp2p, privateKey })
    return node
  }

  private take(node: ServiceNode<CentralIndexService>): Node {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    return this.machines.get(node)!.node
  }
}
