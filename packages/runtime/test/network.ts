import { guidOf } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import type { PastConfig } from '@plaxton/past'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import type { ApplicationPorts, KeyPort, StorePort } from '../src/index.ts'
import { MemoryNetwork, NodeHost, PastClient, memoryStore, randomKey } from '../src/index.ts'

/** One node of a test network with everything that belongs to it. */
export interface TestNode {
  readonly host: NodeHost
  readonly past: PastNode
  readonly client: PastClient
  readonly store: StorePort
  readonly key: KeyPort
  readonly faults: Error[]
}

/** Nodes with Pastry and PAST in one process. Every fault of any of them is kept, for the test to look at. */
export class TestNetwork {
  readonly network = new MemoryNetwork()
  readonly nodes: TestNode[] = []
  private readonly pastConfig: Partial<PastConfig>

  constructor(pastConfig: Partial<PastConfig> = {}) {
    this.pastConfig = pastConfig
  }

  /** Makes and starts a node and joins it through the first. The same `name` is the same node again, on the store and key given. */
  async add(name: string, had: Partial<ApplicationPorts> & { epoch?: number } = {}): Promise<TestNode> {
    const self: NodeRef = { id: guidOf(new TextEncoder().encode(name)), address: `memory:${name}`, epoch: had.epoch ?? 1 }
    const { store = memoryStore(), key = await randomKey(), epoch: _, ...others } = had
    const host = new NodeHost({ overlay: pastry(), link: this.network.link(self), seed: `${name} ${self.epoch}` })
    const past = new PastNode(this.pastConfig, Prng.fromSeed(`past ${name} ${self.epoch}`))
    host.use(past, { store, key, ...others })
    const faults: Error[] = []
    host.events.addEventListener('host:fault', ({ detail }) => void faults.push(detail.error))
    const node = { host, past, client: new PastClient(host, past), store, key, faults }
    await host.start()
    await host.join(this.nodes.slice(0, 1).map((first) => first.host.self))
    this.nodes.push(node)
    return node
  }

  /** Adds `count` nodes, one after the other. */
  async grow(count: number): Promise<TestNode[]> {
    for (let i = 0; i < count; i++) await this.add(`node ${this.nodes.length}`)
    return this.nodes
  }

  /** Stops a node as a crash would. */
  async crash(node: TestNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1)
    await node.host.stop()
  }

  /** Stops all; throws the first fault of any node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(({ host }) => host.stop()))
    for (const { faults } of this.nodes) if (faults[0] !== undefined) throw faults[0]
  }
}
