import assert from 'node:assert/strict'
import { ref } from '@plaxton/testbed'
import { Plane } from './plane.ts'

describe('the neighbour map of a joiner', () => {
  it('is complete and near: as few hops as perfect maps have, on ways at most 60 % longer than the direct ones', () => {
    const { hops, ratio } = new Plane('near').grow(200).walk(2_000)
    // Perfect maps on a plane: 2.22 hops at 400 nodes, ratio of sums 1.3 to 1.4 (published-results R).
    assert.ok(hops < 2.1, `${hops} hops`)
    assert.ok(ratio < 1.6, `${ratio} times the direct way`)
  })

  it('has the nearest of all nodes as the primaries of level 0 soon, wherever many fit', () => {
    const plane = new Plane('top').grow(200)
    plane.network.run(10_000)
    let [nearest, slots] = [0, 0]
    for (const { ref: self, node } of plane.members) {
      const byDistance = plane.members.map(({ ref }) => ref).sort((a, b) => plane.distance(a, self) - plane.distance(b, self))
      for (let digit = 0; digit < 16; digit++) {
        if (parseInt(self.id[0]!, 16) === digit) continue
        slots++
        if (node.slot(0, digit)[0]?.id === byDistance.find(({ id }) => parseInt(id[0]!, 16) === digit)?.id) nearest++
      }
    }
    // A list of 16 on level 0, as above it, gives .86.
    assert.ok(nearest / slots > 0.95, `${nearest} of ${slots}`)
  })

  it('is made of round trips that applications may ask for', () => {
    const plane = new Plane('asked').grow(40)
    const { node, ref: self } = plane.members[20]!
    const known = plane.members.filter(({ ref: other }) => node.measuredMs(other) !== undefined)
    assert.ok(known.length > 15, `${known.length} measured`)
    for (const { ref: other } of known) assert.ok(Math.abs(node.measuredMs(other)! - 2 * plane.distance(self, other)) <= 2)
    assert.equal(node.measuredMs(ref('00'.repeat(16))), undefined)
  })

  it('gets nearer with time', () => {
    let [before, after] = [0, 0]
    for (let seed = 0; seed < 3; seed++) {
      const plane = new Plane(`nearer ${seed}`, { nearest: 2 }).grow(120)
      before += plane.walk(2_000).ratio / 3
      plane.network.run(1_200_000)
      after += plane.walk(2_000).ratio / 3
    }
    assert.ok(after < before, `${before}, then ${after}`)
  })
})
