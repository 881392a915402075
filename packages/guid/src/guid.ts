import { cidToGuid } from './cid.ts'
import { InvalidGuidError } from './errors.ts'
import { guidOf } from './hash.ts'

declare const guidBrand: unique symbol

/**
 * A globally unique id: a whole number of {@link guidBits} bits, written in lower-case hexadecimal with all its leading zeros.
 *
 * It is text, so it is immutable, prints as it is, is a key of a plain `Map` or `Set`, and `<` orders ids of one width as numbers.
 * The width of an id is four times its length. All ids of a network have one width; tests use networks of 8 bits (`'85'`),
 * which can be enumerated. Functions that take several ids require them to have one width.
 */
export type Guid = string & { readonly [guidBrand]: true }

/** Bits of an id outside tests: those of SHA-256. */
export const guidBits = 256

/**
 * The id of a libp2p peer: SHA-256 of the bytes of its PeerId's multihash. This is the key by which libp2p's Kademlia knows the
 * peer (`convertPeerId` in `@libp2p/kad-dht`); the Noise handshake proves the PeerId, so nobody chooses an id freely.
 */
export function guidOfPeer(peerId: { toMultihash(): { bytes: Uint8Array } }): Guid {
  return guidOf(peerId.toMultihash().bytes)
}

/** Ids that one identity has at most: enough for 20 virtual nodes, which even loads out as far as anybody has measured, three times over. */
export const virtualNodesLimit = 64

/**
 * The id of virtual node `index` of the host whose identity these bytes are, such as the multihash of its PeerId. That of number 0 is the host's own,
 * SHA-256 of the bytes; the others are SHA-256 of the bytes with `index` as one more byte behind them. So whoever has checked the identity can compute
 * them all, and nobody chooses one. A multihash says how long it is: no identity is another one with a byte behind.
 */
export function guidOfVirtualNode(identity: Uint8Array, index: number): Guid {
  if (!Number.isInteger(index) || index < 0 || index >= virtualNodesLimit)
    throw new InvalidGuidError('index', index, `a whole number from 0 to ${virtualNodesLimit - 1}`)
  if (index === 0) return guidOf(identity)
  const numbered = new Uint8Array(identity.length + 1)
  numbered.set(identity)
  numbered[identity.length] = index
  return guidOf(numbered)
}

/**
 * The id a person wrote: hex of exactly `bits` bits, in either case, with or without `0x`; or, for 256 bits, a CID (v0 or v1) whose
 * multihash is SHA-256. Throws {@link InvalidGuidError} for anything else.
 */
export function parseGuid(text: string, bits: number = guidBits): Guid {
  const hex = (/^0x/i.test(text) ? text.slice(2) : text).toLowerCase()
  if (isGuid(hex, bits)) return hex
  const guid = bits === guidBits ? cidToGuid(text) : undefined
  if (guid !== undefined) return guid
  throw new InvalidGuidError('text', text, `${bits / 4} hex characters${bits === guidBits ? ', or a CID of a SHA-256 multihash' : ''}`)
}

/** True when `value` is lower-case hex of `bits` bits; of any width from 4 bits on when `bits` is not given. */
export function isGuid(value: unknown, bits?: number): value is Guid {
  return typeof value === 'string' && (bits === undefined || 4 * value.length === bits) && lowerCaseHex.test(value)
}

/** The first 8 characters: enough to tell nodes apart in a log. */
export function shortGuid(guid: Guid): string {
  return guid.slice(0, 8)
}

/** An id drawn evenly from all ids of `bits` bits, a multiple of 4. Takes ⌈bits / 32⌉ numbers from the generator. */
export function randomGuid(prng: { nextUint32(): number }, bits: number = guidBits): Guid {
  if (bits < 4 || bits % 4 !== 0) throw new InvalidGuidError('bits', bits, 'a multiple of 4, at least 4')
  const words = Array.from({ length: Math.ceil(bits / 32) }, () => prng.nextUint32().toString(16).padStart(8, '0'))
  return words.join('').slice(0, bits / 4) as Guid
}

const lowerCaseHex = /^[0-9a-f]+$/
