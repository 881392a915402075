import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { leastInsertion } from '../src/ideal-insertion.ts'
import { leastTogether } from '../src/experiments/tapestry/least.ts'
import type { Simulation } from '../src/simulation.ts'
import type { Topology } from '../src/topology.ts'

/** Hosts on a line, at the places of their numbers. */
const line: Topology = {
  name: 'line',
  place: () => {},
  latencyMs: (a, b) => Math.max(1, Math.abs(a - b)),
  distance: (a, b) => Math.abs(a - b),
}
const at = (id: string, host: number) => ({ id: id as Guid, host })

describe('the least an insertion can take', () => {
  it('is a question, an answer, one message to each whose map changes, and one back from each with a hole', () => {
    // 2200 comes in at 5. With it, 2100 and 2345 share one digit, so both have a hole for it. In the slot for 2 of 1000 at 0 stand 2100 (1) and 2345 (9): 2200 (5) is second there. In that of
    // 9000 at 10 they are 2345 (1) and 2100 (9): 2200 (5) is second there too.
    const members = [at('1000', 0), at('2100', 1), at('2345', 9), at('9000', 10)]
    const one = leastInsertion(line, members, at('2200', 5), { digitBits: 4, redundancy: 1 })
    assert.deepEqual(one, { mustKnow: 2, told: 2, entries: 4, messages: 2 + 2 + 2, bytes: (1 + 4 + 2) * 2, longestMs: 8 })
    const two = leastInsertion(line, members, at('2200', 5), { digitBits: 4, redundancy: 2 })
    assert.deepEqual(two, { mustKnow: 2, told: 4, entries: 4, messages: 2 + 4 + 2, bytes: (1 + 4 + 4) * 2, longestMs: 8 })
  })

  it('tells those to whom the newcomer is nearer than whoever stands in its slot', () => {
    // Only 2100 has a hole. For 1000 at 0 and 9000 at 40, 2200 at 20 competes with 2100 at 30 for the slot of 2: it is nearer to the first, not to the second.
    const members = [at('1000', 0), at('2100', 30), at('9000', 40)]
    const least = leastInsertion(line, members, at('2200', 20), { digitBits: 4, redundancy: 1 })
    assert.deepEqual([least.mustKnow, least.told, least.longestMs], [1, 2, 20])
  })

  it('holds no more pointers in a slot than go there', () => {
    const members = [at('1000', 1), at('1100', 2), at('1200', 3), at('3000', 4)]
    const entriesWith = (redundancy: number) => leastInsertion(line, members, at('2000', 0), { digitBits: 4, redundancy }).entries
    assert.deepEqual([1, 2, 3, 4].map(entriesWith), [2, 3, 4, 4])
  })

  it('goes by digits of the base that is asked for', () => {
    // In base 4 the first digits of 1, 2 and 3 are all 0, and the second 1, 2 and 3: the three share one digit. 8 begins with 2.
    const members = [at('1000', 1), at('3000', 3), at('8000', 8)]
    const least = leastInsertion(line, members, at('2000', 0), { digitBits: 2, redundancy: 1 })
    assert.deepEqual([least.mustKnow, least.told, least.entries], [2, 2, 3])
  })
})

describe('the least that many insertions at one moment can take', () => {
  const networkOf = (...places: Array<ReturnType<typeof at>>) =>
    ({
      running: () => places.map(({ id, host }) => ({ id, host: { index: host } })),
      simulator: { topology: line },
    }) as unknown as Simulation

  it('is the longest of the round trips that any of them needs', () => {
    // 1100 must be known to 1000, 7 away; 2100 to 2000, 3 away.
    const simulation = networkOf(at('1000', 0), at('2000', 20), at('1100', 7), at('2100', 23))
    assert.equal(leastTogether(simulation, 2, 4), 14)
  })

  it('leaves out who may come in after another joiner that is more like it', () => {
    // 2110 and 2120 share two digits: the second of them must be known to the first alone, and which is the second is open.
    const simulation = networkOf(at('1000', 0), at('2000', 20), at('1100', 7), at('2110', 60), at('2120', 90))
    assert.equal(leastTogether(simulation, 3, 4), 14)
  })
})
