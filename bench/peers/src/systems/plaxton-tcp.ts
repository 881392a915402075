import { dolr, overlay, past } from '@plaxton/libp2p'
import { grown, replicas } from '../system.ts'
import { connectionsAmong, localLibp2p } from './local-libp2p.ts'
import { PlaxtonNetwork } from './plaxton.ts'
import type { OverlayFactory } from '@plaxton/kbr'
import type { DolrService, OverlayService, PastService } from '@plaxton/libp2p'
import type { Libp2p } from 'libp2p'
import type { System } from '../system.ts'
import type { Services } from './plaxton.ts'

type Node = Libp2p<{ overlay: OverlayService; past: PastService; dolr: DolrService }>

/** PAST and DOLR over one of our overlays, on libp2p. */
export function plaxtonTcp(name: string, factory: () => OverlayFactory): System {
  return {
    name,
    differs: `TCP, noise and yamux; ${replicas} copies in memory, signed by their owner; a put is done when most of them are stored, a get at the first whose digest is right`,
    start: (size) => grown(new PlaxtonTcp(factory), size),
  }
}

class PlaxtonTcp extends PlaxtonNetwork {
  private readonly factory: () => OverlayFactory
  private readonly nodes: (Node | undefined)[] = []

  constructor(factory: () => OverlayFactory) {
    super()
    this.factory = factory
  }

  /** Through the first node that lives, as every system here is started. */
  async add(): Promise<number> {
    const bootstrap = this.nodes.find((node) => node !== undefined)?.getMultiaddrs() ?? []
    const services = { overlay: overlay(this.factory(), { network: 'bench', bootstrap }), past: past(), dolr: dolr() }
    const node = await localLibp2p<Node['services']>(services)
    const place = this.nodes.push(node) - 1
    await node.services.overlay.whenReady()
    return place
  }

  async kill(at: number): Promise<void> {
    const node = this.node(at)
    this.nodes[at] = undefined
    await node.services.overlay.crash()
    await node.stop()
  }

  connections(): number {
    return connectionsAmong(this.nodes)
  }

  protected services(at: number): Services {
    return this.node(at).services
  }

  private node(at: number): Node {
    return this.nodes[at]!
  }
}
