import type * as crypto from 'node:crypto'
import type { KeyPort } from './ports.ts'

/** The parts of `node:crypto` used here, whatever way it was come by. */
export type NodeCrypto = Pick<typeof crypto, 'createPrivateKey' | 'createPublicKey' | 'sign' | 'verify'>

/** The key of a seed. It signs in the caller's thread: that takes 50 µs, and handing it to another thread 30. */
export function nodeKey(node: NodeCrypto, seed: Uint8Array): KeyPort {
  const privateKey = node.createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const spki = node.createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)),
    sign: (message) => new Uint8Array(node.sign(null, message, privateKey)),
  }
}

/** Verifies in the thread pool: that takes 130 µs, and handing it over 30, both on a machine with a processor to spare. */
export function nodeVerify(node: NodeCrypto, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    node.verify(null, message, keyObject(node, publicKey), signature, (error, valid) => resolve(error === null && valid))
  })
}

/** Making a key object takes 50 µs of the caller's thread, and one owner's objects come in numbers. */
function keyObject(node: NodeCrypto, publicKey: Uint8Array): crypto.KeyObject {
  const name = Buffer.from(publicKey).toString('latin1')
  const known = keyObjects.get(name)
  if (known !== undefined) return known
  const made = node.createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })
  if (keyObjects.size >= mostKeyObjects) {
    for (const oldest of keyObjects.keys()) {
      keyObjects.delete(oldest)
      break
    }
  }
  keyObjects.set(name, made)
  return made
}

/** By public key. Full: the oldest goes. */
const keyObjects = new Map<string, crypto.KeyObject>()

/** A few hundred bytes each. */
const mostKeyObjects = 1024

/** DER before a raw Ed25519 private key (RFC 8410 §7). */
export const pkcs8Prefix = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20])

/** DER before a raw Ed25519 public key (RFC 8410 §4). */
const spkiPrefix = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00])
