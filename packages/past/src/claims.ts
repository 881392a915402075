import { guidFromBytes, sha256 } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { bytes, choice, encode, guid, message, nested, optional, repeated, string, uint32, uint53 } from '@plaxton/wire'
import type { Schema } from '@plaxton/wire'

/**
 * An owner's statement that an object should exist: PAST's file certificate (SOSP 2001, §2.1). Signed by the owner.
 *
 * A *content* object's guid is the SHA-256 of its bytes, and any number of owners may claim it. A *named* object's guid is
 * {@link namedGuid}; only the owner in that guid may claim it.
 */
export interface Certificate {
  readonly guid: Guid
  readonly kind: 'content' | 'named'
  /** Empty for a content object. At most {@link maxNameBytes} of UTF-8. */
  readonly name: string
  /** Empty for a content object, and for a named one without salt. At most {@link maxSaltBytes}. */
  readonly salt: Uint8Array
  /** The owner's Ed25519 public key, 32 bytes. */
  readonly ownerKey: Uint8Array
  /** SHA-256 of the object's bytes. Equal to `guid` for a content object. */
  readonly contentDigest: Guid
  /** Bytes of the object. */
  readonly size: number
  /** Replicas wanted, the paper's k. */
  readonly replicas: number
  /** Milliseconds since 1970 by the owner's clock. Orders the certificates of one owner. */
  readonly created: Millis
  /** Milliseconds since 1970 after which nodes drop the object; 0: never. */
  readonly expires: Millis
}

/** The owner's statement that the object should be gone: PAST's reclaim certificate. Signed by the owner. */
interface Withdrawal {
  /** Milliseconds since 1970 by the owner's clock; not before the certificate's `created`. */
  readonly removed: Millis
  readonly signature: Uint8Array
}

/**
 * What one owner has last said about one object. A withdrawal keeps the certificate it withdraws, so that everybody can see that
 * this owner had a say and how many replicas must hear of it.
 */
export interface Claim {
  readonly certificate: Certificate
  readonly signature: Uint8Array
  readonly withdrawal?: Withdrawal | undefined
}

export const maxNameBytes = 512
export const maxSaltBytes = 32
/** Longest encoded claim, certificate and withdrawal together. */
export const maxClaimBytes = 1024
/** Most claims any message or record holds; configurations allow at most this. */
export const maxClaims = 32

// --- What a set of claims means -------------------------------------------------------------------------------------

/** True when this claim asks for the object to exist at `now`. */
export function isLive(claim: Claim, now: Millis): boolean {
  return claim.withdrawal === undefined && !hasExpired(claim, now)
}

/** The object exists while one claim on it lives. */
export function anyLive(claims: readonly Claim[], now: Millis): boolean {
  return claims.some((claim) => isLive(claim, now))
}

/**
 * The certificate the object's bytes answer to: of the live ones, or else of all, the one that asks for the most replicas, so that
 * several owners of one content object all get what they asked for. Undefined for no claims.
 */
export function leadingCertificate(claims: readonly Claim[], now: Millis): Certificate | undefined {
  const live = claims.filter((claim) => isLive(claim, now))
  let leading: Certificate | undefined
  for (const { certificate } of live.length > 0 ? live : claims) {
    if (leading === undefined || certificate.replicas > leading.replicas) leading = certificate
  }
  return leading
}

/** When the object may be dropped for age: 0 for never, as soon as one live claim never expires. */
export function expiryOf(claims: readonly Claim[], now: Millis): Millis {
  let latest = 0
  for (const claim of claims) {
    if (!isLive(claim, now)) continue
    if (claim.certificate.expires === 0) return 0
    latest = Math.max(latest, claim.certificate.expires)
  }
  return latest
}

/** Nothing depends on this claim any more: it has expired, or it was withdrawn so long ago that no repair can contradict it. */
export function isForgettable(claim: Claim, now: Millis, tombstoneMs: Millis): boolean {
  return hasExpired(claim, now) || (claim.withdrawal !== undefined && claim.withdrawal.removed + tombstoneMs <= now)
}

export function hasExpired({ certificate }: Claim, now: Millis): boolean {
  return certificate.expires !== 0 && certificate.expires <= now
}

export function sameClaim(a: Claim, b: Claim): boolean {
  return compareClaims(a, b) === 0
}

/** The time of an owner's last word. */
export function stampOf(claim: Claim): Millis {
  return claim.withdrawal?.removed ?? claim.certificate.created
}

export function ownerOf(claim: Claim): Guid {
  return guidFromBytes(claim.certificate.ownerKey)
}

// --- Merging --------------------------------------------------------------------------------------------------------

/**
 * What two replicas know together, sorted by owner: of each owner the later word, a withdrawal before a certificate of the same
 * millisecond, then by signature. The choice is a maximum in a total order per owner, so merging is commutative, associative and
 * idempotent, and replicas agree whatever order news reaches them in.
 *
 * With more than `maxOwners` owners those already in `known` stay, then come the others by owner.
 */
export function mergeClaims(known: readonly Claim[], news: readonly Claim[], maxOwners: number): readonly Claim[] {
  const byOwner = new Map(known.map((claim) => [ownerOf(claim), claim]))
  for (const claim of [...news].sort(byOwnerKey)) {
    const owner = ownerOf(claim)
    const current = byOwner.get(owner)
    if (current === undefined ? byOwner.size < maxOwners : compareClaims(claim, current) > 0) byOwner.set(owner, claim)
  }
  return [...byOwner.values()].sort(byOwnerKey)
}

/** For two claims of one owner: positive when `a` is the later word, 0 only when they are the same. */
export function compareClaims(a: Claim, b: Claim): number {
  return (
    stampOf(a) - stampOf(b) ||
    Number(a.withdrawal !== undefined) - Number(b.withdrawal !== undefined) ||
    compareBytes(a.withdrawal?.signature ?? none, b.withdrawal?.signature ?? none) ||
    compareBytes(a.signature, b.signature)
  )
}

/** True when `claims` say what `claim` says: it is among them, or its owner has said the same again later. */
export function covers(claims: readonly Claim[], claim: Claim): boolean {
  const other = claimOf(claims, ownerOf(claim))
  return (
    other !== undefined &&
    compareClaims(other, claim) >= 0 &&
    (other.withdrawal === undefined) === (claim.withdrawal === undefined) &&
    other.certificate.contentDigest === claim.certificate.contentDigest
  )
}

/** True when `claims` have a later word of the same owner that says something else. */
export function isContradicted(claims: readonly Claim[], claim: Claim): boolean {
  const other = claimOf(claims, ownerOf(claim))
  return other !== undefined && compareClaims(other, claim) > 0 && !covers(claims, claim)
}

/** What this owner says. */
export function claimOf(claims: readonly Claim[], owner: Guid): Claim | undefined {
  return claims.find((claim) => ownerOf(claim) === owner)
}

function byOwnerKey(a: Claim, b: Claim): number {
  return compareBytes(a.certificate.ownerKey, b.certificate.ownerKey)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** A claim that shares no memory with the message it came in: a record must not keep a whole frame alive. */
export function detachClaim(claim: Claim): Claim {
  const { certificate, signature, withdrawal } = claim
  return {
    certificate: { ...certificate, salt: certificate.salt.slice(), ownerKey: certificate.ownerKey.slice() },
    signature: signature.slice(),
    withdrawal: withdrawal && { removed: withdrawal.removed, signature: withdrawal.signature.slice() },
  }
}

// --- Bytes ----------------------------------------------------------------------------------------------------------

const certificateSchema: Schema<Certificate> = message('Certificate', {
  guid: guid(1),
  kind: choice(2, ['content', 'named']),
  name: string(3, { max: maxNameBytes }),
  salt: bytes(4, { max: maxSaltBytes }),
  ownerKey: bytes(5, { length: 32 }),
  contentDigest: guid(6),
  size: uint53(7),
  replicas: uint32(8),
  created: uint53(9),
  expires: uint53(10),
})

const withdrawalSchema: Schema<Withdrawal> = message('Withdrawal', { removed: uint53(1), signature: bytes(2, { length: 64 }) })

export const claimSchema: Schema<Claim> = message('Claim', {
  certificate: nested(1, certificateSchema),
  signature: bytes(2, { length: 64 }),
  withdrawal: optional(nested(3, withdrawalSchema)),
})

/** What stands on disk beside an object's bytes. */
export const recordSchema: Schema<{ readonly claims: readonly Claim[] }> = message('Record', {
  claims: repeated(nested(1, claimSchema), { max: maxClaims }),
})

/** A record's version, the same for the same claims: the first 53 bits of their SHA-256, as a whole number. */
export function versionOf(claims: readonly Claim[]): number {
  const digest = sha256(encode(recordSchema, { claims }))
  let version = (digest[0] ?? 0) & 0x1f
  for (let i = 1; i < 7; i++) version = version * 256 + (digest[i] ?? 0)
  return version
}

/** What a named object's guid is the digest of, after the prefix. */
export const namedKeySchema = message('NamedKey', {
  name: string(1, { max: maxNameBytes }),
  ownerKey: bytes(2, { length: 32 }),
  salt: bytes(3, { max: maxSaltBytes }),
})
/** What an owner signs to withdraw a claim, after the prefix. */
export const removalSchema = message('Removal', { guid: guid(1), ownerKey: bytes(2, { length: 32 }), removed: uint53(3) })

/**
 * The guid of a named object: SHA-256 of its name, its owner's public key (32 bytes) and a salt of at most 32 bytes (none by
 * default). Only who has the owner's private key can put, change or remove what is under it.
 */
export function namedGuid(name: string, ownerKey: Uint8Array, salt: Uint8Array = none): Guid {
  return guidFromBytes(sha256(inDomain('name', encode(namedKeySchema, { name, ownerKey, salt }))))
}

/** What the owner signs to claim an object. */
export function certificateBytes(certificate: Certificate): Uint8Array {
  return inDomain('certificate', encode(certificateSchema, certificate))
}

/** What the owner signs to withdraw the claim. */
export function removalBytes(guidRemoved: Guid, ownerKey: Uint8Array, removed: Millis): Uint8Array {
  return inDomain('removal', encode(removalSchema, { guid: guidRemoved, ownerKey, removed }))
}

/** What a node signs to learn its own public key. It means nothing else. */
export const keyProbeBytes: Uint8Array = /* @__PURE__ */ inDomain('key', new Uint8Array(0))

/** Puts a name of its purpose before the bytes, so that a signature for one purpose is never valid for another. */
function inDomain(purpose: string, body: Uint8Array): Uint8Array {
  const prefix = `plaxton/past/1/${purpose}:`
  const whole = new Uint8Array(prefix.length + body.length)
  for (let i = 0; i < prefix.length; i++) whole[i] = prefix.charCodeAt(i)
  whole.set(body, prefix.length)
  return whole
}

const none = new Uint8Array(0)
