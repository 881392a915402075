import { DolrNode } from '@plaxton/dolr'
import { guidFromBytes, guidOf } from '@plaxton/guid'
import { PastNode } from '@plaxton/past'
import { DolrClient, MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '@plaxton/runtime'
import { callMs, replicas } from '../system.ts'
import { unlessNotFound } from './plaxton-tcp.ts'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory, Prng } from '@plaxton/kbr'
import type { Network, System } from '../system.ts'

interface Node {
  readonly host: NodeHost
  readonly past: PastClient
  readonly dolr: DolrClient
}

/** The same cores without sockets: what our own code takes. */
export function plaxtonMemory(name: string, factory: () => OverlayFactory): System {
  return {
    name,
    differs: `no sockets, no encryption: frames are handed over in one process; otherwise as over TCP`,
    start: async (size, prng) => {
      const network = new PlaxtonMemory(factory, prng)
      await network.add()
      await Promise.all(Array.from({ length: size - 1 }, () => network.add()))
      return network
    },
  }
}

class PlaxtonMemory implements Network {
  private readonly factory: () => OverlayFactory
  private readonly prng: Prng
  private readonly network = new MemoryNetwork()
  private readonly nodes: (Node | undefined)[] = []
  private started = 0

  constructor(factory: () => OverlayFactory, prng: Prng) {
    this.factory = factory
    this.prng = prng
  }

  async put(at: number, value: Uint8Array): Promise<Guid> {
    const { guid } = await this.node(at).past.put(guidOf(value), value, { replicas, timeoutMs: callMs })
    return guid
  }

  get(at: number, key: Guid): Promise<Uint8Array | undefined> {
    return this.node(at).past.get(key, { timeoutMs: callMs }).catch(unlessNotFound)
  }

  provide(at: number, topic: Uint8Array): Promise<void> {
    return this.node(at).dolr.publish(guidFromBytes(topic), { timeoutMs: callMs })
  }

  async find(at: number, topic: Uint8Array): Promise<boolean> {
    const hosts = await this.node(at).dolr.locate(guidFromBytes(topic), 1, { timeoutMs: callMs }).catch(unlessNotFound)
    return hosts !== undefined && hosts.length > 0
  }

  async add(): Promise<number> {
    const { prng } = this
    const known = this.nodes.find((node) => node?.host.ready === true)
    const address = `memory:${this.started++}`
    const link = this.network.link({ id: guidOf(new TextEncoder().encode(address)), address, epoch: 1 })
    const host = new NodeHost({ overlay: this.factory(), link, seed: prng.nextInt(2 ** 32) })
    const past = new PastNode({}, prng.fork())
    const dolr = new DolrNode({}, prng.fork())
    host.use(past, { store: memoryStore(), key: await randomKey() }).use(dolr)
    const place = this.nodes.push({ host, past: new PastClient(host, past), dolr: new DolrClient(host, dolr) }) - 1
    await host.start()
    await host.join(known === undefined ? [] : [known.host.self])
    return place
  }

  async kill(at: number): Promise<void> {
    const { host } = this.node(at)
    this.nodes[at] = undefined
    await host.stop()
  }

  connections(): number {
    return 0
  }

  private node(at: number): Node {
    return this.nodes[at]!
  }
}
