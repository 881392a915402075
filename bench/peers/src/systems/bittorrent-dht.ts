import { Client } from 'bittorrent-dht'
import { within } from '../limit.ts'
import { callMs, grown } from '../system.ts'
import type { Network, System } from '../system.ts'

/** BitTorrent's mainline DHT as WebTorrent runs it. `copies` is its bucket size, and the number of nodes that a value is stored on. */
export function bittorrentDht(name: string, copies: number): System {
  return {
    name,
    differs: `bare UDP datagrams, no connections, no encryption; ${copies} copies in memory, each at most 1,000 bytes`,
    start: (size) => grown(new Mainline(copies), size),
  }
}

/** Unless told, a node forgets all but the last 1,000 values; the rates below put more. */
const maxValues = 1_000_000

class Mainline implements Network {
  private readonly copies: number
  private readonly nodes: (Client | undefined)[] = []

  constructor(copies: number) {
    this.copies = copies
  }

  put(at: number, value: Uint8Array): Promise<Uint8Array> {
    const node = this.node(at)
    return within(
      new Promise((resolve, reject) => {
        node.put({ v: value }, (error, hash) => (error === null ? resolve(hash) : reject(error)))
      }),
      callMs,
    )
  }

  get(at: number, key: Uint8Array): Promise<Uint8Array | undefined> {
    const node = this.node(at)
    return within(
      new Promise((resolve, reject) => {
        // From the network, as everybody else here: not what this node has seen before.
        node.get(key, { cache: false }, (error, found) => (error === null ? resolve(found?.v) : reject(error)))
      }),
      callMs,
    )
  }

  provide(at: number, topic: Uint8Array): Promise<void> {
    const node = this.node(at)
    return within(
      new Promise((resolve, reject) => {
        node.announce(infoHash(topic), node.address().port, (error) => (error === null ? resolve() : reject(error)))
      }),
      callMs,
    )
  }

  find(at: number, topic: Uint8Array): Promise<boolean> {
    const node = this.node(at)
    const wanted = infoHash(topic)
    let abort = (): void => {}
    let onPeer = (_peer: unknown, _of: Uint8Array): void => {}
    const found = new Promise<boolean>((resolve) => {
      onPeer = (_peer, of) => Buffer.compare(of, wanted) === 0 && resolve(true)
      node.on('peer', onPeer)
      abort = node.lookup(wanted, () => resolve(false))
    })
    return within(found, callMs).finally(() => {
      node.off('peer', onPeer)
      abort()
    })
  }

  async add(): Promise<number> {
    const known = this.nodes.find((node) => node !== undefined)
    const bootstrap = known === undefined ? false : ([`127.0.0.1:${known.address().port}`] as const)
    const node = new Client({ bootstrap, k: this.copies, maxValues, host: '127.0.0.1' })
    const place = this.nodes.push(node) - 1
    const ready = new Promise<void>((resolve) => void node.once('ready', resolve))
    await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
    await ready
    return place
  }

  async kill(at: number): Promise<void> {
    const node = this.node(at)
    this.nodes[at] = undefined
    await new Promise<void>((resolve) => node.destroy(resolve))
  }

  connections(): number {
    return 0
  }

  private node(at: number): Client {
    return this.nodes[at]!
  }
}

/** Its topics are 20 bytes. */
function infoHash(topic: Uint8Array): Uint8Array {
  return Buffer.from(topic.subarray(0, 20))
}
