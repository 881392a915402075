import { guidOf, sha256 } from '@plaxton/guid'
import { PlaxtonError } from '@plaxton/kbr'
import { ed25519Key } from '@plaxton/runtime'
import { WireError, bytes, decode, encode, message } from '@plaxton/wire'
import type { Guid } from '@plaxton/guid'
import type { KeyPort } from '@plaxton/runtime'

/**
 * libp2p's content routing keeps values under keys of the callers' choice, where PAST wants an owner who signs. A record is therefore a
 * named PAST object whose owner key is derived from the record's key: who knows the key can find, check, replace and remove the
 * record; who only stores it knows the key too, from the record. So a record is as trustworthy as one of a Kademlia without validators:
 * anyone may write anything under a key. What must be trusted has to carry its own proof, as IPNS records do.
 */

/** The name of all records. Their owners differ, and so do their guids. */
export const recordName = 'libp2p-record'

/** Longest key of a record, in bytes. Those of IPNS and of public keys are below 80. */
export const maxRecordKeyBytes = 1024

/** Longest value; with the key it stays below PAST's 1 MiB. */
export const maxRecordValueBytes = 1024 * 1024 - 2 * maxRecordKeyBytes

/** A value of libp2p's content routing, as PAST stores it. */
export const recordSchema = message('Record', { key: bytes(1, { max: maxRecordKeyBytes }), value: bytes(2, { max: maxRecordValueBytes }) })

/** The names under which a node's PAST application asks for the key of a record. */
const signerPrefix = 'record/'

/** How the owner key of the record under `key` is called on this node. Says the key's digest, which is all it takes to derive the owner key. */
export function recordSigner(key: Uint8Array): string {
  return signerPrefix + guidOf(key)
}

/** The owner key of the record that `signer` names; undefined for any other name. Ed25519, its seed SHA-256 of a label and the key's digest. */
export function recordKeyOf(signer: string): Promise<KeyPort> | undefined {
  return signer.startsWith(signerPrefix) ? ed25519Key(seedOf(signer.slice(signerPrefix.length) as Guid)) : undefined
}

export function encodeRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  return encode(recordSchema, { key, value })
}

/** The value, if the object is the record under `key`. Throws when it is something else. */
export function decodeRecord(object: Uint8Array, key: Uint8Array): Uint8Array {
  try {
    const record = decode(recordSchema, object)
    if (guidOf(record.key) === guidOf(key)) return record.value.slice()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
  throw new PlaxtonError('InvalidRecordError', 'ERR_INVALID_RECORD', 'what is stored under this key is not a record of it')
}

function seedOf(digest: Guid): Uint8Array {
  return sha256(new TextEncoder().encode(`plaxton/libp2p/1/record-owner:${digest}`))
}
