import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { byte, guid, ref, someValues } from '@plaxton/testbed'
import { forNearestOf, nextHop, prefixMode } from '../src/next-hop.ts'
import type { PastryState } from '../src/state.ts'
import { byCloseness, memberState, numberOf, perfectTables } from './helpers.ts'

const nobody: ReadonlySet<Guid> = new Set()
const config = { digitBits: 2, leafSetSize: 4 }

/** Perfect tables; how far nodes are is drawn, and known to both. */
function network(ids: readonly number[], prng: Prng): Map<number, PastryState> {
  const states = perfectTables(ids, config)
  for (const a of ids) {
    for (const b of ids) {
      if (a >= b) continue
      const far = 1 + prng.nextInt(200)
      states.get(a)!.proximity.set(byte(b), far)
      states.get(b)!.proximity.set(byte(a), far)
    }
  }
  return states
}

/** The nodes that a message passes, its source first. */
function way(nodes: ReadonlyMap<number, PastryState>, source: number, key: number, count: number): number[] {
  const passed = [source]
  let cursor = forNearestOf(count) + prefixMode
  for (;;) {
    const next = nextHop(nodes.get(passed.at(-1)!)!, nobody, byte(key), cursor, nobody)
    if (next.action === 'deliver') return passed
    assert.ok(next.action === 'forward' && passed.length < 20, `${next.action} after ${passed.join()}`)
    passed.push(numberOf(next.to.id))
    cursor = next.cursor
  }
}

describe('the way to the nearest of the closest nodes', () => {
  it('passes one of them, and ends at the root', () => {
    const prng = Prng.fromSeed('all ways')
    for (let round = 0; round < 15; round++) {
      const ids = someValues(prng, 1 + prng.nextInt(60))
      const nodes = network(ids, prng)
      for (const source of ids) {
        for (let key = 0; key < 256; key += 7) {
          const count = 1 + prng.nextInt(5)
          const closest = [...ids].sort(byCloseness(key)).slice(0, count)
          const passed = way(nodes, source, key, count)
          assert.equal(passed.at(-1), closest[0])
          assert.ok(passed.some((id) => closest.includes(id)))
          // Four digits, the rare case, the hop to whose leaf set reaches, and the one from the near node to the root.
          assert.ok(passed.length <= 8, passed.join())
        }
      }
    }
  })

  /** Four nodes that know the whole ring; from 10 the others are equally far, but for the one that is `near`. */
  function four(near: number): Map<number, PastryState> {
    const nodes = network([0x10, 0x20, 0x30, 0x40], Prng.fromSeed('four'))
    const state = nodes.get(0x10)!
    for (const id of [0x20, 0x30, 0x40]) state.proximity.set(byte(id), id === near ? 1 : 100)
    return nodes
  }

  it('leads straight to the nearest where the leaf set reaches them all, and from there to the root', () => {
    assert.deepEqual(way(four(0x30), 0x10, 0x42, 2), [0x10, 0x30, 0x40])
    assert.deepEqual(way(four(0x40), 0x10, 0x42, 2), [0x10, 0x40])
    // 20 is near, but not one of the two closest.
    assert.deepEqual(way(four(0x20), 0x10, 0x42, 2), [0x10, 0x40])
    assert.deepEqual(way(four(0x20), 0x10, 0x42, 3), [0x10, 0x20, 0x40])
  })

  it('goes from one of them to the root', () => {
    assert.deepEqual(way(four(0x10), 0x30, 0x42, 2), [0x30, 0x40])
  })

  it('leads from afar to the nearest node whose leaf set should reach the key', () => {
    // Ids around it are 4 apart, so that a leaf set reaches 8 to either side. That of 92 then reaches 8e, but not that of 80, which has the longer prefix.
    const others = ['04', '08', 'fc', 'f8', '80', '92'].map((id) => ref(id))
    const state = memberState(ref('00'), others, { digitBits: 4, leafSetSize: 4 })
    const to = (count: number): string | false => {
      const next = nextHop(state, nobody, byte(0x8e), forNearestOf(count) + prefixMode, nobody)
      return next.action === 'forward' && next.to.id
    }
    assert.equal(to(2), '92')
    assert.equal(to(0), '80')
  })

  it('avoids whom a message for the root would avoid', () => {
    const state = four(0x30).get(0x10)!
    const cursor = forNearestOf(2) + prefixMode
    const to = (suspects: readonly string[], avoid: readonly string[]): string | false => {
      const next = nextHop(state, new Set(suspects.map(guid)), byte(0x42), cursor, new Set(avoid.map(guid)))
      return next.action === 'forward' && next.to.id
    }
    assert.equal(to([], []), '30')
    assert.equal(to(['30'], []), '40')
    assert.equal(to([], ['30']), '40')
  })

  it('takes any number of nodes for a wish, as strangers may send it', () => {
    const nodes = network(someValues(Prng.fromSeed('hostile'), 40), Prng.fromSeed('hostile'))
    for (const state of nodes.values()) {
      for (const cursor of [2 ** 32 - 1, 2 ** 32 - 2, 2 ** 31, 129]) {
        for (let key = 0; key < 256; key += 17) {
          const next = nextHop(state, nobody, byte(key), cursor, new Set(state.leafSet.members.map(({ id }) => id)))
          if (next.action === 'forward') assert.ok(next.cursor >= 0 && next.cursor < 2 ** 32, `${next.cursor}`)
        }
      }
    }
  })
})
