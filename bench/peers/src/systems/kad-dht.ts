import { kadDHT } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256 } from 'multiformats/hashes/sha2'
import { callMs, grown } from '../system.ts'
import { connectionsAmong, localLibp2p } from './local-libp2p.ts'
import type { Libp2p } from 'libp2p'
import type { Network, System } from '../system.ts'

/** js-libp2p's own DHT, on the same libp2p as ours. `copies` is both its bucket size and the number of nodes that a value is sent to. */
export function kadDht(name: string, copies: number): System {
  return {
    name,
    differs: `TCP, noise and yamux, a new stream for each request; ${copies} copies in memory; a put is done when they have answered, a get when its query has ended`,
    start: (size) => grown(new KadDht(copies), size),
  }
}

class KadDht implements Network {
  private readonly copies: number
  private readonly nodes: (Libp2p | undefined)[] = []
  private values = 0

  constructor(copies: number) {
    this.copies = copies
  }

  /** Its values have names. */
  async put(at: number, value: Uint8Array): Promise<Uint8Array> {
    const key = new TextEncoder().encode(`/x/${this.values++}`)
    await this.node(at).contentRouting.put(key, value, { signal: AbortSignal.timeout(callMs) })
    return key
  }

  async get(at: number, key: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.node(at).contentRouting.get(key, { signal: AbortSignal.timeout(callMs) })
    } catch (error) {
      // It knows no other way of saying that nobody had the value, nor of saying that it took too long.
      if (['NotFoundError', 'AbortError', 'TimeoutError', 'QueryError'].includes((error as Error).name)) return undefined
      throw error
    }
  }

  async provide(at: number, topic: Uint8Array): Promise<void> {
    await this.node(at).contentRouting.provide(cidOf(topic), { signal: AbortSignal.timeout(callMs) })
  }

  async find(at: number, topic: Uint8Array): Promise<boolean> {
    for await (const _provider of this.node(at).contentRouting.findProviders(cidOf(topic), { signal: AbortSignal.timeout(callMs) }))
      return true
    return false
  }

  async add(): Promise<number> {
    const dht = kadDHT({
      protocol: '/bench/kad/1.0.0',
      kBucketSize: this.copies,
      // Loopback addresses count, and a node that knows nobody yet may ask: else nothing works here at all.
      clientMode: false,
      peerInfoMapper: (peer) => peer,
      allowQueryWithZeroPeers: true,
      validators: { x: async () => {} },
      selectors: { x: () => 0 },
    })
    const known = this.nodes.find((node) => node !== undefined)
    const node = await localLibp2p({ ping: ping(), dht })
    const place = this.nodes.push(node) - 1
    if (known !== undefined) await node.dial(known.getMultiaddrs())
    return place
  }

  async kill(at: number): Promise<void> {
    const node = this.node(at)
    this.nodes[at] = undefined
    await node.stop()
  }

  connections(): number {
    return connectionsAmong(this.nodes)
  }

  private node(at: number): Libp2p {
    return this.nodes[at]!
  }
}

function cidOf(topic: Uint8Array): CID {
  return CID.createV1(raw.code, createDigest(sha256.code, topic))
}
