import { pkcs8Prefix } from './crypto-node.ts'
import type { KeyPort } from './ports.ts'

/** The key of a seed, by Web Crypto. */
export async function webKey(seed: Uint8Array): Promise<KeyPort> {
  const privateKey = await crypto.subtle.importKey('pkcs8', Uint8Array.from([...pkcs8Prefix, ...seed]), 'Ed25519', true, ['sign'])
  const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  return {
    publicKey: fromBase64Url(x),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, new Uint8Array(message))),
  }
}

/** Verifies by Web Crypto. */
export async function webVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message))
}

function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}
