import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { guidOfPeer, guidOfVirtualNode, virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError, maxAddressLength } from '@plaxton/kbr'
import { solvesPuzzle } from './puzzle.ts'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, RefReader } from '@plaxton/kbr'

/**
 * Addresses of nodes on libp2p: comma-separated multiaddrs, each ending in the host's own `/p2p/<PeerId>`; the bare
 * `/p2p/<PeerId>` when nobody can dial it. That of a virtual node but the first is its host's with `#` and its number behind.
 */

/** Most multiaddrs kept in one address: a host on two networks with TCP, WebSockets and a relay each. */
const maxMultiaddrs = 6

/** References kept, the latest used: 4,096 of about 600 bytes are 2.4 MiB. A miss costs a hash and some parsing. */
const maxCachedRefs = 4096

/** Clocks differ; an incarnation that begins later than this from now is a lie, told so that no true one counts as newer. */
const maxEpochAheadMs = 3_600_000

/** `#63` is the longest way to number a virtual node. Every address leaves room for it, so that those of all of a host's nodes fit when one does. */
const maxNumberLength = 3

/** The address of `peerId` reachable at `multiaddrs`: as many of them as fit, in the order given. */
export function formatNodeAddress(peerId: PeerId, multiaddrs: readonly Multiaddr[]): string {
  const suffix = `/p2p/${peerId.toString()}`
  const parts: string[] = []
  let length = 0
  for (const each of multiaddrs) {
    const text = each.toString()
    const whole = text.endsWith(suffix) ? text : text + suffix
    if (parts.length === maxMultiaddrs || length + whole.length + 1 > maxAddressLength - maxNumberLength) break
    parts.push(whole)
    length += whole.length + 1
  }
  return parts.length === 0 ? suffix : parts.join(',')
}

/** The address of virtual node `index` of the host at `hostAddress`. */
export function addressOfNode(hostAddress: string, index: number): string {
  return index === 0 ? hostAddress : `${hostAddress}#${index}`
}

/** The address of the host: that of its first node. */
export function hostAddress(address: string): string {
  const mark = address.lastIndexOf('#')
  return mark < 0 ? address : address.slice(0, mark)
}

/** Where the host of a node is reached: its multiaddrs as text, each ending in its PeerId. */
export function addressesOf({ address }: NodeRef): string[] {
  return hostAddress(address).split(',')
}

/** Which node of its host an address names. As the three below, of an address that has passed {@link NodeRefs.read}. */
export function indexOfAddress(address: string): number {
  const mark = address.lastIndexOf('#')
  return mark < 0 ? 0 : Number(address.slice(mark + 1))
}

/** The PeerId an address names, as text. */
export function hostNameOfAddress(address: string): string {
  const host = hostAddress(address)
  return host.slice(host.lastIndexOf('/') + 1)
}

/** The peer an address names. */
export function peerIdOfAddress(address: string): PeerId {
  return peerIdFromString(hostNameOfAddress(address))
}

/** The multiaddrs of an address one can dial; empty for the bare `/p2p/<PeerId>`. */
export function multiaddrsOfAddress(address: string): Multiaddr[] {
  return address.startsWith('/p2p/')
    ? []
    : hostAddress(address)
        .split(',')
        .map((part) => multiaddr(part))
}

/**
 * Judges and shares node references. An id counts only when it is the SHA-256 of the PeerId that all of its multiaddrs end in, or that of a virtual node
 * of this peer with a number below `virtualNodesMax`, so nobody speaks of a node under an id of his choice. Where the network has a crypto puzzle, the peer's own id must solve it.
 */
export class NodeRefs {
  private readonly virtualNodesMax: number
  private readonly puzzleBits: number
  /** By address, the least recently used first. */
  private readonly byAddress = new Map<string, NodeRef>()
  rejected = 0

  constructor(virtualNodesMax: number = virtualNodesLimit, puzzleBits = 0) {
    this.virtualNodesMax = virtualNodesMax
    this.puzzleBits = puzzleBits
  }

  readonly read: RefReader = (id, address, epoch) => {
    if (epoch > Date.now() + maxEpochAheadMs) return this.reject()
    const known = this.byAddress.get(address)
    if (known !== undefined) return known.id === id ? this.withEpoch(known, epoch) : this.reject()
    if (idOfAddress(address, this.virtualNodesMax, this.puzzleBits) !== id) return this.reject()
    return this.remember({ id, address, epoch })
  }

  private withEpoch(known: NodeRef, epoch: number): NodeRef {
    if (known.epoch === epoch) return known
    const ref = { id: known.id, address: known.address, epoch }
    return epoch > known.epoch ? this.remember(ref) : ref
  }

  private remember(ref: NodeRef): NodeRef {
    this.byAddress.delete(ref.address)
    this.byAddress.set(ref.address, ref)
    if (this.byAddress.size > maxCachedRefs) {
      const oldest = this.byAddress.keys().next()
      if (!oldest.done) this.byAddress.delete(oldest.value)
    }
    return ref
  }

  private reject(): undefined {
    this.rejected++
    return undefined
  }
}

/** The only id that goes with this address; undefined when the address is not one, or its peer has not solved the puzzle. */
function idOfAddress(address: string, virtualNodesMax: number, puzzleBits: number): Guid | undefined {
  if (address.length > maxAddressLength) return undefined
  const [host = '', number, ...more] = address.split('#', 3)
  const index = number === undefined ? 0 : readIndex(number)
  if (index === undefined || index >= virtualNodesMax || more.length > 0) return undefined
  const parts = host.split(',', maxMultiaddrs + 1)
  if (parts.length > maxMultiaddrs) return undefined
  const suffix = host.slice(host.lastIndexOf('/p2p/'))
  if (!parts.every((part) => part.endsWith(suffix))) return undefined
  try {
    for (const part of parts) multiaddr(part)
    const peerId = peerIdFromString(suffix.slice('/p2p/'.length))
    if (suffix !== `/p2p/${peerId.toString()}` || !solvesPuzzle(guidOfPeer(peerId), puzzleBits)) return undefined
    return guidOfVirtualNode(peerId.toMultihash().bytes, index)
  } catch {
    return undefined
  }
}

/** The number of a virtual node but the first, in the one way it may be written. */
function readIndex(text: string): number | undefined {
  return /^[1-9][0-9]?$/.test(text) ? Number(text) : undefined
}

/**
 * The nodes that one knows the multiaddrs of, several of one node taken together, before anybody was asked. Throws `InvalidValueError` naming `field` for one that
 * does not end in a PeerId.
 */
export function nodesAt(addresses: ReadonlyArray<string | Multiaddr>, field: string): NodeRef[] {
  if (!Array.isArray(addresses)) throw new InvalidValueError(field, addresses, 'a list of multiaddrs')
  const byPeer = new Map<string, Multiaddr[]>()
  for (const address of addresses) {
    const parsed = parseWithPeer(address, field)
    const peer = parsed.toString().slice(parsed.toString().lastIndexOf('/p2p/') + '/p2p/'.length)
    byPeer.set(peer, [...(byPeer.get(peer) ?? []), parsed])
  }
  return [...byPeer].map(([peer, known]) => {
    const peerId = peerIdFromString(peer)
    return { id: guidOfPeer(peerId), address: formatNodeAddress(peerId, known), epoch: 0 }
  })
}

function parseWithPeer(address: string | Multiaddr, field: string): Multiaddr {
  try {
    const parsed = multiaddr(address)
    const text = parsed.toString()
    peerIdFromString(text.slice(text.lastIndexOf('/p2p/') + '/p2p/'.length))
    return parsed
  } catch {
    throw new InvalidValueError(field, String(address), 'multiaddrs such as /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…')
  }
}
