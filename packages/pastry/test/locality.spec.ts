import assert from 'node:assert/strict'
import type { NodeRef } from '@plaxton/kbr'
import { sharedPrefixDigits } from '@plaxton/guid'
import { encodeJoinPayload } from '../src/codec.ts'
import { Plane } from './plane.ts'

describe('the routing table', () => {
  it('is full and near after joining: as few hops as with perfect tables, on ways at most 40 % longer than the direct ones', () => {
    const plane = new Plane('near').grow(400)
    const { ratio, hops } = plane.walk(4_000)
    // Perfect tables give 2.2 hops at 400 nodes (published-results R: 2.48 at 1,000).
    assert.ok(hops < 2.3, `${hops} hops`)
    assert.ok(ratio < 1.4, `${ratio} times the direct way`)
  })

  it('holds a node in every slot for which one exists, in the rows that matter', () => {
    const plane = new Plane('full').grow(250)
    let [filled, possible] = [0, 0]
    for (const { ref, node } of plane.members) {
      for (let column = 0; column < 16; column++) {
        const inSlot = plane.members.filter(
          (other) => other.ref.id[0] === column.toString(16) && sharedPrefixDigits(other.ref.id, ref.id, 4) === 0,
        )
        if (inSlot.length === 0) continue
        possible++
        const next = node.nextHop(inSlot[0]!.ref.id, 0, new Set())
        if (next.action === 'forward' && inSlot.some((other) => other.ref.id === next.to.id)) filled++
      }
    }
    assert.ok(filled / possible > 0.99, `${filled} of ${possible}`)
  })

  it('is repaired after failures: ways and hops are as before', () => {
    const plane = new Plane('repair').grow(300)
    const before = plane.walk(2_000)
    for (const victim of plane.network.prng.shuffle(plane.members).slice(0, 60)) victim.crash()
    plane.members = plane.network.members()
    // Use finds the dead entries, and repair replaces them.
    for (let i = 0; i < 3_000; i++) {
      const [source, root] = [plane.network.prng.pick(plane.members)!, plane.network.prng.pick(plane.members)!]
      source.route(root.ref.id, encodeJoinPayload({ purpose: 'seek', joiner: root.ref, attempt: 0 }))
      plane.network.run(20)
    }
    plane.network.run(120_000)
    const after = plane.walk(2_000)
    assert.ok(after.stale < 0.05, `${after.stale} of the hops lead to dead nodes`)
    assert.ok(Math.abs(after.hops - before.hops) < 0.25, `${before.hops} hops before, ${after.hops} after`)
    assert.ok(after.ratio < 1.5, `${before.ratio} before, ${after.ratio} after`)
  })

  it('works with a neighbourhood set, which holds near nodes', () => {
    const plane = new Plane('neighbourhood', { neighborhoodSetSize: 8 }).grow(150)
    let [inSet, average] = [0, 0]
    for (const { node, ref } of plane.members) {
      node.assertInvariants()
      const near = (node as unknown as { state: { neighborhoodSet: { entries(): NodeRef[] } } }).state.neighborhoodSet.entries()
      assert.equal(near.length, 8)
      inSet += near.reduce((sum, other) => sum + plane.distance(ref, other), 0) / 8
      average += plane.members.reduce((sum, other) => sum + plane.distance(ref, other.ref), 0) / plane.members.length
    }
    assert.ok(inSet / average < 0.4, `${inSet / average} of the average distance`)
  })
})
