import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { guidFromBytes, guidToBytes } from './bytes.ts'
import { InvalidGuidError } from './errors.ts'
import type { Guid } from './guid.ts'

/** Multicodec of plain bytes. */
const rawCodec = 0x55
/** Multihash code of SHA-256. */
const sha256Code = 0x12
/** A CIDv1 of SHA-256 has 59 characters in base32; the longest base in use, hex, has 73. Longer text is not looked at. */
const maxCidCharacters = 128

/** The id as a CIDv1 in base32, the form IPFS tools print. `codec` says what the bytes are; plain bytes by default. The id must have 256 bits. */
export function guidToCid(guid: Guid, codec: number = rawCodec): string {
  if (guid.length !== 64) throw new InvalidGuidError('guid', guid, '256 bits wide')
  return CID.createV1(codec, Digest.create(sha256Code, guidToBytes(guid))).toString()
}

/**
 * The digest inside a CID: v0 (`Qm…`), or v1 in base32, base36 or base58. Throws {@link InvalidGuidError} for text that is no CID and
 * for one whose hash is not SHA-256. The CID's codec is not part of the id and is lost.
 */
export function guidFromCid(text: string): Guid {
  const guid = cidToGuid(text)
  if (guid === undefined) throw new InvalidGuidError('text', text, 'a CID of a SHA-256 multihash')
  return guid
}

/** As {@link guidFromCid}, but undefined where that throws. */
export function cidToGuid(text: string): Guid | undefined {
  if (text.length > maxCidCharacters) return undefined
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch {
    return undefined // `parse` reports every malformed text by throwing, each with an error of its own.
  }
  const { code, digest } = cid.multihash
  return code === sha256Code && digest.length === 32 ? guidFromBytes(digest) : undefined
}
