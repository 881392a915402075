import { InvalidValueError } from '@plaxton/kbr'
import type { NodeCrypto } from './crypto-node.ts'
import { nodeKey, nodeVerify } from './crypto-node.ts'
import { webKey, webVerify } from './crypto-web.ts'
import type { KeyPort } from './ports.ts'

/** The Ed25519 key whose private half is `seed`, 32 secret bytes (RFC 8032 §5.1.5). */
export async function ed25519Key(seed: Uint8Array): Promise<KeyPort> {
  if (!(seed instanceof Uint8Array) || seed.length !== 32) throw new InvalidValueError('seed', seed, '32 bytes')
  return nodeCrypto === undefined ? webKey(seed) : nodeKey(nodeCrypto, seed)
}

/** A new key from the platform's entropy. Nobody can make it again, so objects signed with it can be removed by this process only. */
export function randomKey(): Promise<KeyPort> {
  return ed25519Key(crypto.getRandomValues(new Uint8Array(32)))
}

/** Whether `signature` is the Ed25519 signature of `message` by `publicKey`. False for wrong lengths and impossible keys too. */
export async function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return await (nodeCrypto === undefined
      ? webVerify(publicKey, message, signature)
      : nodeVerify(nodeCrypto, publicKey, message, signature))
  } catch {
    return false
  }
}

/** 128 bits of the platform's entropy as text, for a node's generator. */
export function randomSeed(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join('-')
}

/** Node's own, where there is Node: its calls take a third of the time of Web Crypto's. Asked for in a way that no bundler follows. */
const nodeCrypto: NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto')
