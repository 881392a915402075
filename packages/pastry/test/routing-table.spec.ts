import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref } from '@plaxton/testbed'
import { RoutingTable } from '../src/routing-table.ts'

describe('RoutingTable', () => {
  for (const digitBits of [1, 2, 3, 4, 8]) {
    it(`finds for every key the node that shares one digit more with it, in digits of ${digitBits} bits`, () => {
      const digits = (id: number): string => {
        const bits = id.toString(2).padStart(8, '0')
        return Array.from({ length: Math.ceil(8 / digitBits) }, (_, i) => bits.slice(i * digitBits, (i + 1) * digitBits)).join(' ')
      }
      const shared = (a: number, b: number): number => {
        const [one, other] = [digits(a).split(' '), digits(b).split(' ')]
        const at = one.findIndex((digit, i) => digit !== other[i])
        return at < 0 ? one.length : at
      }
      for (const self of [0x00, 0x35, 0x80, 0xff]) {
        const table = new RoutingTable(ref(byte(self)), digitBits)
        for (let id = 0; id < 256; id++) if (id !== self) table.put(ref(byte(id)))
        table.assertInvariants()
        for (let key = 0; key < 256; key++) {
          if (key === self) continue
          const next = table.towards(byte(key))
          assert.ok(next !== undefined)
          assert.ok(shared(parseInt(next.id, 16), key) > shared(self, key))
        }
        assert.equal(table.towards(byte(self)), undefined)
      }
    })
  }

  it('has rows only as deep as they are used', () => {
    const table = new RoutingTable(ref('3fa0'), 4)
    assert.equal(table.depth, 0)
    table.put(ref('3fb0'))
    assert.equal(table.depth, 3)
    table.put(ref('4000'))
    table.remove(guid('3fb0'))
    assert.equal(table.depth, 1)
    table.remove(guid('4000'))
    assert.equal(table.depth, 0)
  })

  it('keeps one node in a slot: the one put last', () => {
    const table = new RoutingTable(ref('3fa0'), 4)
    table.put(ref('4000'))
    table.put(ref('4fff'))
    assert.equal(table.slot(0, 4)?.id, '4fff')
    assert.equal(table.get(guid('4000')), undefined)
    assert.equal(table.remove(guid('4000')), false)
    assert.deepEqual(
      table.entries().map((entry) => entry.id),
      ['4fff'],
    )
  })

  it('gives its entries row by row, by column', () => {
    const prng = Prng.fromSeed('rows')
    const table = new RoutingTable(ref('80'), 4)
    for (const id of prng.shuffle(['10', '20', '8f', '81', 'f0'])) table.put(ref(id))
    assert.deepEqual(
      table.entries().map((entry) => entry.id),
      ['10', '20', 'f0', '81', '8f'],
    )
  })
})
