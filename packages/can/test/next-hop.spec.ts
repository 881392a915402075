import assert from 'node:assert/strict'
import { guid } from '@plaxton/testbed'
import { greedyHop } from '../src/next-hop.ts'
import type { HopCandidate } from '../src/next-hop.ts'
import { Space } from '../src/space.ts'
import type { Zone } from '../src/zone.ts'
import { zone } from './helpers.ts'

describe('the greedy choice of the next hop', () => {
  /** 256 cells along either dimension. */
  const plane = new Space(2, 16)
  const own = [zone('0000')]
  const candidate = (id: string, zones: readonly Zone[], rttMs?: number): HopCandidate => ({
    ref: { id: guid(id), address: '', epoch: 1 },
    zones,
    rttMs,
  })
  const chosen = (point: readonly number[], from: readonly Zone[], candidates: readonly HopCandidate[], weighted: boolean) =>
    greedyHop(plane, point, from, candidates, weighted)?.ref.id

  it('is the zone nearest to the point', () => {
    const candidates = [candidate('a1', [zone('0001')], 1), candidate('a2', [zone('0010')], 100)]
    assert.equal(chosen([150, 70], own, candidates, false), 'a2', '23 cells and 7 away, for 87 and 0')
  })

  it('is the most progress by round trip when it is weighted', () => {
    const right = candidate('a2', [zone('0010')], 100)
    // From 1.69 hops, 87 cells to the right and 37 up, to 1.36 by the way up and to 1.41 by the way to the right.
    assert.equal(chosen([150, 100], own, [candidate('a1', [zone('0001')], 90), right], true), 'a1')
    assert.equal(chosen([150, 100], own, [candidate('a1', [zone('0001')], 300), right], true), 'a2')
  })

  it('takes a narrow gap for a hop like a wide one', () => {
    // One cell up and 64 to the right is one hop either way, and the shorter round trip decides.
    const candidates = [candidate('a1', [zone('0001')], 50), candidate('a2', [zone('0010')], 60)]
    assert.equal(chosen([127, 64], own, candidates, true), 'a1')
    assert.equal(chosen([127, 64], own, candidates, false), 'a2', 'though the wide one brings it nearer')
  })

  it('takes a round trip that nobody measured for a long one', () => {
    const candidates = [candidate('a1', [zone('0001')]), candidate('a2', [zone('0010')], 150)]
    assert.equal(chosen([127, 127], own, candidates, true), 'a2')
  })

  it('is nobody when none is nearer than the nearest of its own zones', () => {
    const candidates = [candidate('a1', [zone('0001')], 1)]
    assert.equal(chosen([0, 255], own, candidates, true), undefined)
    assert.equal(chosen([0, 100], [...own, zone('0001')], candidates, true), undefined)
  })

  it('is the nearest in the space for one who has no zone yet, and nobody who has none', () => {
    const candidates = [candidate('a0', [], 1), candidate('a1', [zone('0001')], 1), candidate('a2', [zone('0010')], 100)]
    assert.equal(chosen([150, 70], [], candidates, true), 'a2')
  })
})
