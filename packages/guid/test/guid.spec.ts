import assert from 'node:assert/strict'
import { guidOf, guidOfPeer, guidOfVirtualNode, InvalidGuidError, isGuid, parseGuid, randomGuid, sha256, shortGuid } from '@plaxton/guid'
import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { guids } from './arbitrary.ts'

const text = (characters: string) => new TextEncoder().encode(characters)

/** SHA-256 of nothing and of 'abc', FIPS 180-4; of 'hello world', by coreutils' sha256sum. */
const ofNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const ofAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const ofHelloWorld = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'

describe('guid', () => {
  describe('of content', () => {
    it('is SHA-256', () => {
      assert.equal(guidOf(text('')), ofNothing)
      assert.equal(guidOf(text('abc')), ofAbc)
      assert.equal(guidOf(text('hello world')), ofHelloWorld)
    })

    it('is the same with the platform’s SHA-256 and the portable one', () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.deepEqual(sha256(bytes), portableSha256(bytes))))
    })

    it('hashes a view, not the buffer under it', () => {
      assert.equal(guidOf(text('xabcx').subarray(1, 4)), ofAbc)
    })

    it('hands out digests that share nothing', () => {
      const first = sha256(text('abc'))
      const kept = first.slice()
      sha256(text('')).fill(0)
      assert.deepEqual(first, kept)
      assert.equal(first.constructor, Uint8Array)
    })
  })

  describe('of a peer', () => {
    it('is the key by which @libp2p/kad-dht knows the peer', () => {
      // 12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA; the key is what convertPeerId of @libp2p/kad-dht 16 returned for it.
      const multihash = Buffer.from('0024080112202ffa35a99d3a3cfbb17bb7c1dc5561b18a8dcca4df38dc613ea859c37eb1336b', 'hex')
      const peerId = { toMultihash: () => ({ bytes: multihash }) }
      assert.equal(guidOfPeer(peerId), 'a9fb3b592b9e6cee5658eaf7de67433434163a081d97cc77e303b300c816251e')
    })
  })

  describe('of a virtual node', () => {
    it('is that of the host for number 0, and SHA-256 of the identity with the number behind it for the others', () => {
      assert.equal(guidOfVirtualNode(text('hello world'), 0), ofHelloWorld)
      // By coreutils: printf 'hello world\\001' | sha256sum
      assert.equal(guidOfVirtualNode(text('hello world'), 1), '4da29a6d08d426662918d20bd3375b52b3c520a3592e1191ee09452e445e9871')
      assert.equal(guidOfVirtualNode(text('hello world'), 63), 'af17ed267525a09e28e477a1af30a74ca49c74bc3078cd5bb28d89976714142d')
    })

    it('exists for whole numbers from 0 to 63 only', () => {
      for (const index of [-1, 64, 1.5, Number.NaN]) assert.throws(() => guidOfVirtualNode(text('hello world'), index), InvalidGuidError)
    })
  })

  describe('parsed', () => {
    it('is hex in either case, with or without 0x', () => {
      for (const form of [ofAbc, ofAbc.toUpperCase(), `0x${ofAbc}`, `0X${ofAbc.toUpperCase()}`]) assert.equal(parseGuid(form), ofAbc)
    })

    it('has exactly the width asked for', () => {
      assert.equal(parseGuid('0x8F', 8), '8f')
      assert.equal(parseGuid('abc', 12), 'abc')
      for (const [form, bits] of [
        [ofAbc.slice(1), 256],
        [`${ofAbc}0`, 256],
        ['8', 8],
        ['085', 8],
        ['', 8],
      ] as const) {
        assert.throws(() => parseGuid(form, bits), InvalidGuidError)
      }
    })

    it('may be a CID, v0 or v1 in the bases in use', () => {
      for (const cid of [
        'QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4',
        'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
        'bafybeifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
        'k2cwued9o1pvrt3q271rrqbo49x30tbxwpoeaq75z14e5ui2rzygpbe1',
        'zb2rhj7crUKTQYRGCRATFaQ6YFLTde2YzdqbbhAASkL9uRDXn',
      ]) {
        assert.equal(parseGuid(cid), ofHelloWorld)
      }
    })

    it('is no CID when another width is asked for', () => {
      assert.throws(() => parseGuid('QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4', 8), InvalidGuidError)
    })

    it('refuses all else with an error that names what was given and what is allowed', () => {
      assert.throws(() => parseGuid('hello', 8), {
        name: 'InvalidGuidError',
        code: 'ERR_INVALID_GUID',
        field: 'text',
        value: 'hello',
        allowed: '2 hex characters',
        message: "text must be 2 hex characters, but is 'hello'",
      })
    })

    it('never throws anything but InvalidGuidError, whatever the text', () => {
      const texts = fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.string().map((rest) => `bafk${rest}`),
        fc.string().map((rest) => `Qm${rest}`),
      )
      fc.assert(
        fc.property(texts, (form) => {
          try {
            assert.ok(isGuid(parseGuid(form), 256))
          } catch (error) {
            assert.ok(error instanceof InvalidGuidError)
          }
        }),
        { numRuns: 2000 },
      )
    })
  })

  it('is told from what is none', () => {
    assert.ok(isGuid(ofAbc) && isGuid(ofAbc, 256) && isGuid('8f', 8) && isGuid('abc', 12))
    for (const value of [ofAbc.toUpperCase(), '', '8g', ' 8f', '8f\n', 85, null, undefined]) assert.equal(isGuid(value), false)
    assert.equal(isGuid(ofAbc, 160), false)
  })

  it('has a short form of 8 characters for logs', () => {
    assert.equal(shortGuid(guidOf(text('abc'))), 'ba7816bf')
  })

  it('is a key of plain Maps, equal by value', () => {
    fc.assert(fc.property(guids, (guid) => assert.ok(new Map([[guid, 1]]).has(parseGuid(guid.toUpperCase())))))
  })

  describe('at random', () => {
    const counting = () => {
      let n = 0
      return { nextUint32: () => (0x01020304 * ++n) >>> 0 }
    }

    it('is the generator’s numbers, most significant first', () => {
      assert.equal(randomGuid(counting(), 64), '0102030402040608')
      assert.equal(randomGuid(counting(), 8), '01')
      assert.equal(randomGuid(counting(), 12), '010')
      assert.equal(randomGuid({ nextUint32: () => 7 }), '00000007'.repeat(8))
    })

    it('refuses a width that hex cannot write', () => {
      for (const bits of [0, 3, 6, -4, 4.5, NaN]) assert.throws(() => randomGuid(counting(), bits), InvalidGuidError)
    })
  })
})
