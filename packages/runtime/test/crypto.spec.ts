import assert from 'node:assert/strict'
import * as nodeCrypto from 'node:crypto'
import { nodeKey, nodeVerify } from '../src/crypto-node.ts'
import { webKey, webVerify } from '../src/crypto-web.ts'
import { ed25519Key, randomKey, randomSeed, verifyEd25519 } from '../src/crypto.ts'

/** RFC 8032 §7.1, tests 1 to 3. */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

const platforms = {
  'node:crypto': {
    key: async (seed: Uint8Array) => nodeKey(nodeCrypto, seed),
    verify: (...args: [Uint8Array, Uint8Array, Uint8Array]) => nodeVerify(nodeCrypto, ...args),
  },
  'Web Crypto': { key: webKey, verify: webVerify },
  'the one chosen': { key: ed25519Key, verify: verifyEd25519 },
}

for (const [platform, { key, verify }] of Object.entries(platforms)) {
  describe(`Ed25519 by ${platform}`, () => {
    for (const [index, vector] of vectors.entries()) {
      it(`agrees with RFC 8032 §7.1 test ${index + 1}`, async () => {
        const owner = await key(hex(vector.seed))
        assert.deepEqual(owner.publicKey, hex(vector.publicKey))
        const signature = await owner.sign(hex(vector.message))
        assert.deepEqual(signature, hex(vector.signature))
        assert.equal(await verify(owner.publicKey, hex(vector.message), signature), true)
      })
    }

    it('tells a wrong message, signature and key', async () => {
      const { publicKey, ...owner } = await key(new Uint8Array(32).fill(1))
      const other = await key(new Uint8Array(32).fill(2))
      const message = hex('0102')
      const signature = await owner.sign(message)
      const bent = signature.with(0, signature[0]! ^ 1)
      assert.equal(await verify(publicKey, hex('0103'), signature), false)
      assert.equal(await verify(publicKey, message, bent), false)
      assert.equal(await verify(other.publicKey, message, signature), false)
    })
  })
}

describe('verifyEd25519', () => {
  it('is false for keys and signatures of another length, and for impossible keys', async () => {
    const { publicKey, ...owner } = await randomKey()
    const message = hex('00')
    const signature = await owner.sign(message)
    assert.equal(await verifyEd25519(publicKey.subarray(1), message, signature), false)
    assert.equal(await verifyEd25519(publicKey, message, signature.subarray(1)), false)
    assert.equal(await verifyEd25519(publicKey, message, new Uint8Array(0)), false)
    assert.equal(await verifyEd25519(new Uint8Array(32).fill(0xff), message, signature), false)
  })
})

describe('ed25519Key', () => {
  it('refuses a seed that is not 32 bytes, naming the field', async () => {
    await assert.rejects(ed25519Key(new Uint8Array(31)), { name: 'InvalidValueError', field: 'seed' })
  })
})

describe('randomSeed', () => {
  it('differs from call to call', () => {
    assert.equal(new Set(Array.from({ length: 100 }, randomSeed)).size, 100)
  })
})
