import assert from 'node:assert/strict'
import { guidFromBytes, guidFromCid, guidToBytes, guidToCid, InvalidGuidError, readGuid, writeGuid } from '@plaxton/guid'
import fc from 'fast-check'
import { hexSlice, hexWrite } from '../src/bytes.ts'
import { guids } from './arbitrary.ts'
import { all, id } from './ids.ts'

describe('bytes of a guid', () => {
  it('are big-endian', () => {
    assert.equal(guidFromBytes(Uint8Array.of(0x00, 0x8f, 0xff)), '008fff')
    assert.deepEqual(guidToBytes(id('008fff')), Uint8Array.of(0x00, 0x8f, 0xff))
  })

  it('are those of every 8-bit id', () => {
    all.forEach((guid, n) => {
      assert.deepEqual(guidToBytes(guid), Uint8Array.of(n))
      assert.equal(guidFromBytes(Uint8Array.of(n)), guid)
    })
  })

  it('become the same id again', () => {
    fc.assert(fc.property(guids, (guid) => assert.equal(guidFromBytes(guidToBytes(guid)), guid)))
  })

  it('are read and written within a larger buffer, and nothing beside them is touched', () => {
    fc.assert(
      fc.property(guids, fc.nat(40), (guid, offset) => {
        const buffer = new Uint8Array(80).fill(0xee)
        writeGuid(guid, buffer, offset)
        assert.equal(readGuid(buffer, offset, 32), guid)
        assert.ok(buffer.every((byte, i) => (i >= offset && i < offset + 32) || byte === 0xee))
      }),
    )
  })

  it('are the same with Node’s own conversion and the portable one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const hex = hexSlice(bytes, 0, bytes.length)
        assert.equal(hex, readGuid(bytes, 0, bytes.length))
        const written = new Uint8Array(bytes.length)
        hexWrite(hex, written, 0, bytes.length)
        assert.deepEqual(written, bytes)
      }),
    )
  })

  it('must lie within the buffer', () => {
    const buffer = new Uint8Array(8)
    for (const [offset, length] of [
      [0, 9],
      [8, 1],
      [7, 2],
      [-1, 2],
      [0, 0],
      [0, -1],
    ] as const) {
      assert.throws(() => readGuid(buffer, offset, length), InvalidGuidError)
    }
    for (const offset of [-1, 7, 8]) assert.throws(() => writeGuid(id('abcd'), buffer, offset), InvalidGuidError)
    assert.throws(() => guidFromBytes(new Uint8Array(0)), InvalidGuidError)
  })

  it('do not exist for an id of half a byte', () => {
    assert.throws(() => guidToBytes(id('abc')), InvalidGuidError)
  })
})

describe('CID of a guid', () => {
  const helloWorld = id('b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9')

  it('is a CIDv1 in base32, of plain bytes unless another codec is given', () => {
    // Of the file 'hello world' without newline.
    assert.equal(guidToCid(helloWorld), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
    assert.equal(guidToCid(helloWorld, 0x70), 'bafybeifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  })

  it('gives the guid back', () => {
    fc.assert(fc.property(guids, (guid) => assert.equal(guidFromCid(guidToCid(guid)), guid)))
  })

  it('exists for 256 bits only', () => {
    assert.throws(() => guidToCid(id('85')), InvalidGuidError)
  })

  it('must hold a SHA-256', () => {
    const otherHashes = {
      sha1: 'bafkrcfbkvzwdlskpz62blw7jl5aixhhjd3uen3i',
      sha3: 'bafkrmifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
      truncated: 'bafkreffzjut3te2nhyekklss27nh3k72ysco7yy',
      identity: 'bafkqablimvwgy3y',
    }
    for (const cid of [...Object.values(otherHashes), 'hello', '', 'b'.repeat(1_000_000)]) {
      assert.throws(() => guidFromCid(cid), InvalidGuidError)
    }
  })
})
