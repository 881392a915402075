import { DolrNode } from '@plaxton/dolr'
import { guidOf } from '@plaxton/guid'
import { PastNode } from '@plaxton/past'
import { DolrClient, MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '@plaxton/runtime'
import { grown } from '../system.ts'
import { PlaxtonNetwork } from './plaxton.ts'
import type { OverlayFactory, Prng } from '@plaxton/kbr'
import type { System } from '../system.ts'
import type { Services } from './plaxton.ts'

interface Node extends Services {
  readonly host: NodeHost
}

/** The same cores without sockets: what our own code takes. */
export function plaxtonMemory(name: string, factory: () => OverlayFactory): System {
  return {
    name,
    differs: 'no sockets, no encryption: frames are handed over in one process; otherwise as over TCP',
    start: (size, prng) => grown(new PlaxtonMemory(factory, prng), size),
  }
}

class PlaxtonMemory extends PlaxtonNetwork {
  private readonly factory: () => OverlayFactory
  private readonly prng: Prng
  private readonly network = new MemoryNetwork()
  private readonly nodes: (Node | undefined)[] = []
  private started = 0

  constructor(factory: () => OverlayFactory, prng: Prng) {
    super()
    this.factory = factory
    this.prng = prng
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
    const { host } = this.services(at)
    this.nodes[at] = undefined
    await host.stop()
  }

  connections(): number {
    return 0
  }

  protected services(at: number): Node {
    return this.nodes[at]!
  }
}
