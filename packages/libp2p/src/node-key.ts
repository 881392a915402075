import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { guidOfVirtualNode, virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import { ed25519Key } from '@plaxton/runtime'
import { indexOfAddress } from './node-address.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { NodeRef } from '@plaxton/kbr'
import type { KeyPort } from '@plaxton/runtime'

/** `key` as what a node signs with. Rejects with `InvalidValueError` naming `field` for any kind but Ed25519; `hint` says what to do then. */
export async function keyPortOf(key: PrivateKey, field: string, hint: string): Promise<KeyPort> {
  return ed25519Key(ed25519Seed(key, field, hint))
}

/** The 32 bytes an Ed25519 key is made from; libp2p keeps them before the public key. */
export function ed25519Seed(key: PrivateKey, field: string, hint: string): Uint8Array {
  if (key.type !== 'Ed25519') throw new InvalidValueError(field, key.type, `an Ed25519 private key; ${hint}`)
  return key.raw.slice(0, 32)
}

/**
 * Whether the id of `node` is that of the peer with this Ed25519 public key, or of a virtual node of this peer: the id is the SHA-256 of a PeerId that holds
 * the whole key, and of the number that the address says.
 */
export function isKeyOfNode(node: NodeRef, publicKey: Uint8Array): boolean {
  const index = indexOfAddress(node.address)
  if (publicKey.length !== 32 || !Number.isInteger(index) || index < 0 || index >= virtualNodesLimit) return false
  return guidOfVirtualNode(peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toMultihash().bytes, index) === node.id
}
