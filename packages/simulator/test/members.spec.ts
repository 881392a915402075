import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import { Members } from '../src/members.ts'
import { ringDistance } from '../src/ownership.ts'
import type { Process } from '../src/host.ts'

/** Ids of 8 bits, so that everything can be worked out with plain numbers. */
const hex = (n: number) => n.toString(16).padStart(2, '0') as Guid
const distinct = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 20 })

describe('the members', () => {
  it('successors and predecessors: agree with walking round the ring', () => {
    fc.assert(
      fc.property(distinct, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 25 }), (ids, from, count) => {
        const walk = (step: number) => {
          const met = []
          for (let i = 1; i < 256; i++) if (ids.includes((from + step * i + 512 * 255) % 256)) met.push((from + step * i + 512 * 255) % 256)
          return met.slice(0, count).map(hex)
        }
        assert.deepEqual(members(ids).successors(hex(from), count), walk(1))
        assert.deepEqual(members(ids).predecessors(hex(from), count), walk(-1))
      }),
    )
  })

  it('forget who goes, but not a later incarnation of the same id', () => {
    const all = members([1, 2, 3])
    const before = all.of(hex(2))!
    all.remove(before)
    assert.deepEqual(all.sorted, [hex(1), hex(3)])
    all.add({ self: { id: hex(2) } } as Process)
    all.remove(before)
    assert.deepEqual(all.sorted, [hex(1), hex(2), hex(3)])
  })
})

function members(ids: readonly number[]): Members {
  const all = new Members(ringDistance)
  for (const id of ids) all.add({ self: { id: hex(id) } } as Process)
  return all
}
