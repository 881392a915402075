import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Answer, Question } from '@plaxton/kbr'

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in PKCS#8, and before those of a public key in SPKI. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Verdicts remembered; when it is full, all are forgotten, which costs time only. Some 500 bytes each. */
const maxVerdicts = 50_000

interface KeyPair {
  readonly privateKey: KeyObject
  readonly publicKey: Uint8Array
}

interface Verdict {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly valid: boolean
}

/**
 * Real Ed25519 with keys that follow from the seed, so that a run repeats byte for byte.
 *
 * A real check takes 100 µs or more, and every holder of a replica checks the same certificate. So verdicts are remembered, and what was
 * signed here is known to be valid. That saves work, not realism: a signature that differs in one bit is really checked.
 */
export class Keys {
  private readonly seed: string
  private readonly pairs = new Map<string, KeyPair>()
  /** By signature. Another message under the same signature replaces the verdict. */
  private readonly verdicts = new Map<string, Verdict>()

  constructor(seed: number | string) {
    this.seed = String(seed)
  }

  /** `owner` names the signer: a host's number and the application's name. */
  sign(owner: string, message: Uint8Array): Answer {
    const { privateKey, publicKey } = this.pair(owner)
    const signature = new Uint8Array(sign(null, message, privateKey))
    this.remember(publicKey, message, signature, true)
    return { kind: 'signed', signature, publicKey }
  }

  verify(question: Extract<Question, { kind: 'verify' | 'verify-node' }>): Answer {
    const { publicKey, message, signature } = question
    const known = this.verdicts.get(textOf(signature))
    if (known !== undefined && areEqual(known.publicKey, publicKey) && areEqual(known.message, message))
      return { kind: 'verified', valid: known.valid }
    const valid = isValid(publicKey, message, signature)
    this.remember(publicKey, message, signature, valid)
    return { kind: 'verified', valid }
  }

  /** The 32 raw bytes of the owner's public key. */
  publicKeyOf(owner: string): Uint8Array {
    return this.pair(owner).publicKey
  }

  isKeyOf(owner: string, publicKey: Uint8Array): boolean {
    return areEqual(this.publicKeyOf(owner), publicKey)
  }

  private remember(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, valid: boolean): void {
    if (this.verdicts.size === maxVerdicts) this.verdicts.clear()
    // Copies, because these may be views of messages.
    this.verdicts.set(textOf(signature), { publicKey: publicKey.slice(), message: message.slice(), valid })
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

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** The bytes as characters, to be the key of a map. */
function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
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
