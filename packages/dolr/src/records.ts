import { guidOf, guidToBytes } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef, RefReader } from '@plaxton/kbr'
import { WireError, bool, decode, encode, guid, message, nodeRef, string, uint32, uint53 } from '@plaxton/wire'

/**
 * What a host says of itself: that it hosts `guid`, or no longer does. Signed by the key its id stands for, so that anybody may pass it
 * on and nobody can say it for somebody else.
 */
export interface PublicationRecord {
  readonly guid: Guid
  readonly host: NodeRef
  /**
   * When it was signed, in milliseconds by the host's clock; larger than in any earlier record of this host. Of two records the one signed
   * later holds, so a withdrawal wins over the publication it follows, in whatever order they arrive.
   */
  readonly signedAt: Millis
  /** How long it holds. */
  readonly ttlMs: Millis
  /** True: the host no longer hosts the object. */
  readonly withdrawn: boolean
}

/** A record with what proves it. `body` is what was signed, byte for byte; the other fields are read from it. */
export interface SignedRecord extends PublicationRecord {
  readonly body: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/** Roots an object may have at most, whatever a configuration says: the salts a node takes pointers for. */
export const maxRoots = 8

/** The longest `body`: an address of 1,024 characters and what surrounds it. */
export const maxBodyBytes = 1_280

/** The bytes a host signs. */
export function encodeBody(record: PublicationRecord): Uint8Array {
  return encode(bodySchema, { purpose, ...record })
}

/** The record in `body`; throws `WireError` when there is none, or when its reference is not to be used. */
export function readBody(body: Uint8Array, refs: RefReader): PublicationRecord {
  const { purpose: what, ...record } = decode(bodySchema, body, { guidBytes: 32, maxBytes: maxBodyBytes, ref: refs })
  if (what !== purpose) throw new WireError('value', 'DolrRecord.purpose', `"${what}" is no publication`)
  return record
}

/** A copy that does not hold on to the message it came in. */
export function detached(record: SignedRecord): SignedRecord {
  const { body, publicKey, signature } = record
  return { ...record, body: body.slice(), publicKey: publicKey.slice(), signature: signature.slice() }
}

export function isSameRecord(a: SignedRecord, b: SignedRecord): boolean {
  return a.signedAt === b.signedAt && areEqual(a.body, b.body) && areEqual(a.signature, b.signature)
}

/**
 * The key towards whose root pointers are laid: the guid itself, and one more for each further salt (Tapestry, JSAC 2004, §III-D). Ways to two
 * of them share little, so no single root or path decides whether an object is found.
 */
export function rootKey(object: Guid, salt: number): Guid {
  return salt === 0 ? object : guidOf(Uint8Array.of(...guidToBytes(object), 0x73, 0x61, 0x6c, 0x74, salt))
}

/** The node a message for `key` goes to next; undefined when this node is the root, as far as it knows. */
export function nextHopTo(key: Guid, fx: AppEffects): NodeRef | undefined {
  const next = fx.localLookup(key, 1, false)[0]
  return next === undefined || next.id === fx.self.id ? undefined : next
}

/** Set apart from all else that a node's key may sign. */
const purpose = 'plaxton dolr 1'

/** What a host signs; see {@link PublicationRecord}. */
export const bodySchema = message('DolrRecord', {
  purpose: string(1, { max: 32 }),
  guid: guid(2),
  host: nodeRef(3),
  signedAt: uint53(4),
  ttlMs: uint32(5),
  withdrawn: bool(6),
})

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
