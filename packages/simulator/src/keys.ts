import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Answer, Question } from '@plaxton/kbr'

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS#8, and before those of a public key in SPKI. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Verdicts remembered; when it is full, all are forgotten, which costs time only. */
const maxVerdicts = 100_000

interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: Uint8Array
}

/**
 * Real Ed25519 with keys that follow from the seed, so that a run repeats byte for byte.
 *
 * A verdict is remembered by digest: every holder of a replica checks the same certificate, and a real check takes 100 µs or more.
 * That saves work, not realism: each signature is really checked once.
 */
export class Keys {
  private readonly seed: string
  private readonly pairs = new Map<string, KeyPair>()
  private verdicts = new Map<string, boolean>()

  constructor(seed: number | string) {
    this.seed = String(seed)
  }

  /** `owner` names the signer: a host's number and the application's name. */
  sign(owner: string, message: Uint8Array): Answer {
    const { privateKey, publicKey } = this.pair(owner)
    return { kind: 'signed', signature: new Uint8Array(sign(null, message, privateKey)), publicKey }
  }

  verify(question: Extract<Question, { kind: 'verify' | 'verify-node' }>): Answer {
    const { publicKey, message, signature } = question
    const digest = createHash('sha256').update(publicKey).update(signature).update(message).digest('base64')
    let valid = this.verdicts.get(digest)
    if (valid === undefined) {
      valid = isValid(publicKey, message, signature)
      if (this.verdicts.size === maxVerdicts) this.verdicts.clear()
      this.verdicts.set(digest, valid)
    }
    return { kind: 'verified', valid }
  }

  /** The 32 raw bytes of the owner's public key. */
  publicKeyOf(owner: string): Uint8Array {
    return this.pair(owner).publicKey
  }

  isKeyOf(owner: string, publicKey: Uint8Array): boolean {
    return Buffer.compare(this.publicKeyOf(owner), publicKey) === 0
  }

  private pair(owner: string): KeyPair {
    let pair = this.pairs.get(owner)
    if (pair === undefined) {
      const seed = createHash('sha256').update(`plaxton simulator key ${this.seed} ${owner}`).digest()
      const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
      const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
      pair = { privateKey, publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)) }
      this.pairs.set(owner, pair)
    }
    return pair
  }
}

function isValid(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  // A public key of the wrong length, or one that is no point, makes OpenSSL throw: a stranger's rubbish, so the verdict is no.
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })
    return verify(null, message, key, signature)
  } catch {
    return false
  }
}
