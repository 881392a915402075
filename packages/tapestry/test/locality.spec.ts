import assert from 'node:assert/strict'
import { Plane } from './plane.ts'

describe('the neighbour map of a joiner', () => {
  it('is complete and near: as few hops as perfect maps have, on ways at most 60 % longer than the direct ones', () => {
    const { hops, ratio } = new Plane('near').grow(200).walk(2_000)
    // Perfect maps on a plane: 2.22 hops at 400 nodes, ratio of sums 1.3 to 1.4 (published-results R).
    assert.ok(hops < 2.1, `${hops} hops`)
    assert.ok(ratio < 1.6, `${ratio} times the direct way`)
  })

  it('gets nearer with time', () => {
    const plane = new Plane('nearer', { nearest: 2 }).grow(120)
    const before = plane.walk(2_000).ratio
    plane.network.run(1_200_000)
    const after = plane.walk(2_000).ratio
    assert.ok(after < before, `${before}, then ${after}`)
  })
})
