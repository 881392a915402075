import { guidFromBytes, guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import { dolr, overlay, past } from '@plaxton/libp2p'
import { callMs, replicas } from '../system.ts'
import { connectionsAmong, localLibp2p } from './local-libp2p.ts'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory } from '@plaxton/kbr'
import type { DolrService, OverlayService, PastService } from '@plaxton/libp2p'
import type { Libp2p } from 'libp2p'
import type { Network, System } from '../system.ts'

type Node = Libp2p<{ overlay: OverlayService; past: PastService; dolr: DolrService }>

/** PAST and DOLR over one of our overlays, on libp2p. */
export function plaxtonTcp(name: string, factory: () => OverlayFactory): System {
  return {
    name,
    differs: `TCP, noise and yamux; ${replicas} copies in memory, signed by their owner; a put is done when most of them are stored, a get at the first whose digest is right`,
    start: async (size) => {
      const network = new PlaxtonTcp(factory)
      const first = await network.add()
      await Promise.all(Array.from({ length: size - 1 }, () => network.add(first)))
      return network
    },
  }
}

class PlaxtonTcp implements Network {
  private readonly factory: () => OverlayFactory
  private readonly nodes: (Node | undefined)[] = []

  constructor(factory: () => OverlayFactory) {
    this.factory = factory
  }

  async put(at: number, value: Uint8Array): Promise<Guid> {
    const { guid } = await this.node(at).services.past.put(guidOf(value), value, { replicas, timeoutMs: callMs })
    return guid
  }

  get(at: number, key: Guid): Promise<Uint8Array | undefined> {
    return this.node(at).services.past.get(key, { timeoutMs: callMs }).catch(unlessNotFound)
  }

  provide(at: number, topic: Uint8Array): Promise<void> {
    return this.node(at).services.dolr.publish(guidFromBytes(topic), { timeoutMs: callMs })
  }

  async find(at: number, topic: Uint8Array): Promise<boolean> {
    const hosts = await this.node(at).services.dolr.locate(guidFromBytes(topic), 1, { timeoutMs: callMs }).catch(unlessNotFound)
    return hosts !== undefined && hosts.length > 0
  }

  /** Through the first node that lives, as every system here is started. */
  async add(known = this.nodes.findIndex((node) => node !== undefined)): Promise<number> {
    const bootstrap = known === -1 ? [] : this.node(known).getMultiaddrs()
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

  private node(at: number): Node {
    return this.nodes[at]!
  }
}

/** Not to be found is an answer; everything else is an error. */
export function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error
}
