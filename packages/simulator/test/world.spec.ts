import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { Disk } from '../src/disk.ts'
import { Keys } from '../src/keys.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('a disk', () => {
  it('shows a write once it has been answered, and lists by prefix in ascending order', () => {
    const disk = new Disk()
    const write = {
      kind: 'write',
      entries: [
        ['b/2', bytes(2)],
        ['b/1', bytes(1)],
        ['c', bytes(3)],
      ],
    } as const
    disk.ask(write)
    assert.deepEqual(disk.answer({ kind: 'read', key: 'b/1' }), { kind: 'read', bytes: undefined })
    assert.deepEqual(disk.answer(write), { kind: 'written' })
    assert.deepEqual(disk.answer({ kind: 'read', key: 'b/1' }), { kind: 'read', bytes: bytes(1) })
    assert.deepEqual(disk.answer({ kind: 'list', prefix: 'b/' }), {
      kind: 'listed',
      entries: [
        ['b/1', bytes(1)],
        ['b/2', bytes(2)],
      ],
    })
  })

  it('erases', () => {
    const disk = new Disk()
    for (const value of [bytes(1), undefined]) {
      const write = { kind: 'write', entries: [['a', value]] } as const
      disk.ask(write)
      disk.answer(write)
    }
    assert.equal(disk.get('a'), undefined)
  })

  it('keeps after a crash a prefix of what was being written, of every length sooner or later', () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 60; seed++) {
      const disk = new Disk()
      disk.ask({
        kind: 'write',
        entries: [
          ['0', bytes(0)],
          ['1', bytes(1)],
        ],
      })
      disk.ask({ kind: 'write', entries: [['2', bytes(2)]] })
      disk.crash(Prng.fromSeed(seed))
      const kept = [...disk.keys()]
      assert.deepEqual(kept, ['0', '1', '2'].slice(0, kept.length))
      lengths.add(kept.length)
    }
    assert.deepEqual(
      [...lengths].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
  })

  it('tells its observer what became durable and what went', () => {
    const seen: string[] = []
    const disk = new Disk((key, value) => seen.push(`${key} ${value === undefined ? 'gone' : 'there'}`))
    const write = { kind: 'write', entries: [['a', bytes(1)]] } as const
    disk.ask(write)
    disk.answer(write)
    disk.wipe()
    assert.deepEqual(seen, ['a there', 'a gone'])
  })
})

describe('keys', () => {
  const message = bytes(1, 2, 3)

  it('check signatures as Ed25519 says: RFC 8032, test 1', () => {
    // Its own keys follow from the seed, so the vector is checked from the verifying side only.
    const publicKey = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
    const signature = Buffer.from(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      'hex',
    )
    assert.deepEqual(new Keys(1).verify({ kind: 'verify', publicKey, message: bytes(), signature }), { kind: 'verified', valid: true })
  })

  it('verify what they signed, and nothing else, the second time as well', () => {
    const keys = new Keys(1)
    const signed = keys.sign('0/past', message)
    assert.equal(signed.kind, 'signed')
    if (signed.kind !== 'signed') return
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(keys.verify({ ...signed, kind: 'verify', message }), { kind: 'verified', valid: true })
      assert.deepEqual(keys.verify({ ...signed, kind: 'verify', message: bytes(9) }), { kind: 'verified', valid: false })
      assert.deepEqual(keys.verify({ ...signed, kind: 'verify', message, publicKey: keys.publicKeyOf('1/past') }), {
        kind: 'verified',
        valid: false,
      })
    }
  })

  it('belong to one owner each', () => {
    const keys = new Keys(1)
    assert.equal(keys.isKeyOf('node 80', keys.publicKeyOf('node 80')), true)
    assert.equal(keys.isKeyOf('node 80', keys.publicKeyOf('node 81')), false)
    assert.equal(keys.isKeyOf('node 80', bytes(1)), false)
  })

  it('follow from seed and owner', () => {
    assert.deepEqual(new Keys(1).publicKeyOf('0/past'), new Keys(1).publicKeyOf('0/past'))
    assert.notDeepEqual(new Keys(1).publicKeyOf('0/past'), new Keys(2).publicKeyOf('0/past'))
    assert.notDeepEqual(new Keys(1).publicKeyOf('0/past'), new Keys(1).publicKeyOf('1/past'))
  })

  it('find rubbish invalid without throwing', () => {
    assert.deepEqual(new Keys(1).verify({ kind: 'verify', publicKey: bytes(1), message, signature: bytes(2) }), {
      kind: 'verified',
      valid: false,
    })
  })
})
