import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { guidOfPeer } from '@plaxton/guid'
import { maxAddressLength } from '@plaxton/kbr'
import type { PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Guid } from '@plaxton/guid'
import type { NodeRef, RefReader } from '@plaxton/kbr'

/**
 * Addresses of nodes on libp2p: comma-separated multiaddrs, each ending in the node's own `/p2p/<PeerId>`; the bare
 * `/p2p/<PeerId>` when nobody can dial it.
 */

/** Most multiaddrs kept in one address: a host on two networks with TCP, WebSockets and a relay each. */
const maxMultiaddrs = 6

/** References kept, the latest used: 4,096 of about 600 bytes are 2.4 MiB. A miss costs a hash and some parsing. */
const maxCachedRefs = 4096

/** Clocks differ; an incarnation that begins later than this from now is a lie, told so that no true one counts as newer. */
const maxEpochAheadMs = 3_600_000

/** The address of `peerId` reachable at `multiaddrs`: as many of them as fit, in the order given. */
export function formatNodeAddress(peerId: PeerId, multiaddrs: readonly Multiaddr[]): string {
  const suffix = `/p2p/${peerId.toString()}`
  const parts: string[] = []
  let length = 0
  for (const each of multiaddrs) {
    const text = each.toString()
    const whole = text.endsWith(suffix) ? text : text + suffix
    if (parts.length === maxMultiaddrs || length + whole.length + 1 > maxAddressLength) break
    parts.push(whole)
    length += whole.length + 1
  }
  return parts.length === 0 ? suffix : parts.join(',')
}

/** The peer an address names. The address must have passed {@link NodeRefs.read}. */
export function peerIdOfAddress(address: string): PeerId {
  return peerIdFromString(address.slice(address.lastIndexOf('/') + 1))
}

/** The multiaddrs of an address one can dial; empty for the bare `/p2p/<PeerId>`. */
export function multiaddrsOfAddress(address: string): Multiaddr[] {
  return address.startsWith('/p2p/') ? [] : address.split(',').map((part) => multiaddr(part))
}

/**
 * Judges and shares node references. An id counts only when it is the SHA-256 of the PeerId that all of its multiaddrs end in,
 * so nobody speaks of a node under an id of his choice.
 */
export class NodeRefs {
  /** By address, the least recently used first. */
  private readonly byAddress = new Map<string, NodeRef>()
  rejected = 0

  readonly read: RefReader = (id, address, epoch) => {
    if (epoch > Date.now() + maxEpochAheadMs) return this.reject()
    const known = this.byAddress.get(address)
    if (known !== undefined) return known.id === id ? this.withEpoch(known, epoch) : this.reject()
    if (idOfAddress(address) !== id) return this.reject()
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

/** The only id that goes with this address; undefined when the address is not one. */
function idOfAddress(address: string): Guid | undefined {
  if (address.length > maxAddressLength) return undefined
  const parts = address.split(',', maxMultiaddrs + 1)
  if (parts.length > maxMultiaddrs) return undefined
  const suffix = address.slice(address.lastIndexOf('/p2p/'))
  if (!parts.every((part) => part.endsWith(suffix))) return undefined
  try {
    for (const part of parts) multiaddr(part)
    const peerId = peerIdFromString(suffix.slice('/p2p/'.length))
    return suffix === `/p2p/${peerId.toString()}` ? guidOfPeer(peerId) : undefined
  } catch {
    return undefined
  }
}
