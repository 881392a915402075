import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'
import type { NextHop } from '@plaxton/kbr'
import { byte, guid, ref, someValues } from '@plaxton/testbed'
import { forNearestOf, nextHop, numericMode, prefixMode } from '../src/next-hop.ts'
import type { PastryState } from '../src/state.ts'
import { byCloseness, gap, memberState, numberOf, perfectTables } from './helpers.ts'

const nobody: ReadonlySet<Guid> = new Set()
const config = { digitBits: 2, leafSetSize: 4 }

const network = (ids: readonly number[]): Map<number, PastryState> => perfectTables(ids, config)

function shared(a: number, b: number): number {
  for (let digits = 4; digits > 0; digits--) if (a >> (8 - 2 * digits) === b >> (8 - 2 * digits)) return digits
  return 0
}

function target(next: NextHop): number | undefined {
  return next.action === 'forward' ? numberOf(next.to.id) : undefined
}

/** Middleware 2001, §2.3, written down as it stands there: `leafSet` with its range, `table` as a flat list. */
function slowNextHop(state: PastryState, key: number): number {
  const self = numberOf(state.self.id)
  const chain = state.leafSet.chain().map((member) => numberOf(member.id))
  const span = (chain[chain.length - 1]! - chain[0]!) & 255
  if (state.leafSet.wholeRing || ((key - chain[0]!) & 255) <= span) return [...chain].sort(byCloseness(key))[0]!
  const known = state.everybody().map((entry) => numberOf(entry.id))
  const table = state.routingTable.entries().map((entry) => numberOf(entry.id))
  const entry = table.find((id) => shared(id, self) === shared(key, self) && shared(id, key) > shared(key, self))
  if (entry !== undefined) return entry
  const closer = known.filter((id) => shared(id, key) >= shared(self, key) && byCloseness(key)(id, self) < 0)
  return closer.sort((a, b) => shared(b, key) - shared(a, key) || byCloseness(key)(a, b))[0] ?? [...known, self].sort(byCloseness(key))[0]!
}

describe('nextHop', () => {
  it('decides as the paper says, for every key at every node', () => {
    const prng = Prng.fromSeed('paper')
    for (let round = 0; round < 25; round++) {
      for (const [self, state] of network(someValues(prng, 1 + prng.nextInt(40)))) {
        for (let key = 0; key < 256; key++) {
          const next = nextHop(state, nobody, byte(key), prefixMode, nobody)
          const expected = slowNextHop(state, key)
          if (expected === self) assert.equal(next.action, 'deliver')
          else assert.equal(target(next), expected)
        }
      }
    }
  })

  it('leads from every node to the numerically closest node of every key, in few hops', () => {
    const prng = Prng.fromSeed('global')
    for (let round = 0; round < 25; round++) {
      const ids = someValues(prng, 1 + prng.nextInt(60))
      const nodes = network(ids)
      for (const source of ids) {
        for (let key = 0; key < 256; key += 3) {
          let at = source
          let cursor = prefixMode
          let hops = 0
          for (;;) {
            const next = nextHop(nodes.get(at)!, nobody, byte(key), cursor, nobody)
            if (next.action !== 'forward') {
              assert.equal(next.action, 'deliver')
              break
            }
            at = numberOf(next.to.id)
            cursor = next.cursor
            hops++
          }
          assert.equal(at, [...ids].sort(byCloseness(key))[0])
          // Four digits, and the rare case once.
          assert.ok(hops <= 5, `${hops} hops`)
        }
      }
    }
  })

  it('makes strict progress in the metric of its mode, however stale the tables and whoever is avoided', () => {
    const prng = Prng.fromSeed('stale')
    for (let round = 0; round < 400; round++) {
      const [self, ...others] = someValues(prng, 2 + prng.nextInt(40)) as [number, ...number[]]
      const state = memberState(
        ref(byte(self)),
        others.map((id) => ref(byte(id))),
        config,
      )
      for (const id of others)
        if (prng.chance(0.3)) state.drop(ref(byte(id)), { neighborChanged: () => {}, routesChanged: () => {} } as never)
      const avoid = new Set(others.filter(() => prng.chance(0.2)).map(byte))
      for (const mode of [prefixMode, numericMode]) {
        const cursor = mode + forNearestOf(round % 4)
        for (let key = 0; key < 256; key += 5) {
          const next = nextHop(state, nobody, byte(key), cursor, avoid)
          if (next.action !== 'forward') continue
          const to = numberOf(next.to.id)
          assert.ok(!avoid.has(next.to.id))
          const nextMode = next.cursor & 1
          assert.ok(nextMode >= mode, 'numeric mode is for good')
          const isCloser = byCloseness(key)(to, self) < 0
          if (nextMode === numericMode) assert.ok(isCloser)
          else assert.ok(shared(to, key) > shared(self, key) || (shared(to, key) === shared(self, key) && isCloser))
        }
      }
    }
  })

  it('holds what a closer node should have, when that node is avoided or suspected', () => {
    const state = memberState(ref('80'), [ref('90'), ref('70')], config)
    const who = new Set([guid('90')])
    assert.equal(nextHop(state, nobody, guid('8f'), prefixMode, who).action, 'hold')
    assert.equal(nextHop(state, who, guid('8f'), prefixMode, nobody).action, 'hold')
    assert.equal(nextHop(state, who, guid('81'), prefixMode, nobody).action, 'deliver')
  })

  it('goes on to the next best when the closest is avoided and somebody else is still closer', () => {
    const state = memberState(ref('80'), [ref('90'), ref('98'), ref('70')], config)
    assert.equal(target(nextHop(state, nobody, guid('9a'), prefixMode, new Set([guid('98')]))), 0x90)
  })

  it('goes clockwise when two nodes are equally far', () => {
    const state = memberState(ref('80'), [ref('90')], config)
    assert.equal(target(nextHop(state, nobody, guid('88'), prefixMode, nobody)), 0x90)
    assert.equal(gap(0x80, 0x88), gap(0x90, 0x88))
  })

  it('delivers nothing before it is a member, but forwards', () => {
    const state = memberState(ref('80'), [ref('90')], config)
    state.standing = 'claiming'
    assert.equal(nextHop(state, nobody, guid('80'), prefixMode, nobody).action, 'hold')
    assert.equal(nextHop(state, nobody, guid('7f'), prefixMode, nobody).action, 'hold')
    assert.equal(target(nextHop(state, nobody, guid('95'), prefixMode, nobody)), 0x90)
  })

  it('delivers everything at the only node', () => {
    const state = memberState(ref('80'), [], config)
    for (let key = 0; key < 256; key++) assert.equal(nextHop(state, nobody, byte(key), prefixMode, nobody).action, 'deliver')
  })

  it('changes nothing', () => {
    const prng = Prng.fromSeed('pure')
    const [self, ...others] = someValues(prng, 30) as [number, ...number[]]
    const state = memberState(
      ref(byte(self)),
      others.map((id) => ref(byte(id))),
      config,
    )
    const before = JSON.stringify([state.leafSet.members, state.routingTable.entries()])
    for (let key = 0; key < 256; key++) nextHop(state, nobody, byte(key), prefixMode, new Set([byte(others[0]!)]))
    assert.equal(JSON.stringify([state.leafSet.members, state.routingTable.entries()]), before)
  })
})
