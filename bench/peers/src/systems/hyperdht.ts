import HyperDht from 'hyperdht'
import { within } from '../limit.ts'
import { callMs, grown } from '../system.ts'
import type { Network, System } from '../system.ts'

/** Holepunch's DHT. How many copies it keeps cannot be chosen. */
export const hyperdht: System = {
  name: 'hyperdht',
  differs:
    'bare UDP datagrams, no connections, no encryption of values; up to 20 copies in memory; a get ends at the first answer whose digest is right',
  start: (size) => grown(new HyperNetwork(), size),
}

class HyperNetwork implements Network {
  private readonly nodes: (HyperDht | undefined)[] = []
  private readonly bootstrap: { host: string; port: number }[] = []

  async put(at: number, value: Uint8Array): Promise<Uint8Array> {
    return (await within(this.node(at).immutablePut(value), callMs)).hash
  }

  async get(at: number, key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await within(this.node(at).immutableGet(key), callMs))?.value
  }

  async provide(at: number, topic: Uint8Array): Promise<void> {
    const node = this.node(at)
    await within(node.announce(topic, node.defaultKeyPair).finished(), callMs)
  }

  find(at: number, topic: Uint8Array): Promise<boolean> {
    return within(firstPeer(this.node(at), topic), callMs)
  }

  async add(): Promise<number> {
    const node = new HyperDht({ ephemeral: false, firewalled: false, bootstrap: this.bootstrap, host: '127.0.0.1' })
    const place = this.nodes.push(node) - 1
    await node.fullyBootstrapped()
    if (this.bootstrap.length === 0) this.bootstrap.push({ host: '127.0.0.1', port: node.address().port })
    return place
  }

  async kill(at: number): Promise<void> {
    const node = this.node(at)
    this.nodes[at] = undefined
    await node.destroy({ force: true })
  }

  connections(): number {
    return 0
  }

  private node(at: number): HyperDht {
    return this.nodes[at]!
  }
}

async function firstPeer(node: HyperDht, topic: Uint8Array): Promise<boolean> {
  for await (const { peers = [] } of node.lookup(topic)) if (peers.length > 0) return true
  return false
}
