import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { RealitiesNetwork } from './realities-network.ts'

describe('realities in turmoil', () => {
  for (const seed of [1, 2, 3, 4]) {
    const realities = 2 + (seed % 3)
    const peersPerZone = seed === 4 ? 3 : 1
    it(`${realities}, ${peersPerZone} to a zone, seed ${seed}: nodes join, crash, leave and start again, messages are lost, halves are cut off; then all is right`, () => {
      const config = { realities, dimensions: 2 + (seed % 2) * 2, peersPerZone }
      const network = new RealitiesNetwork(`turmoil ${seed}`, config)
      network.tellsUnreachable = seed % 2 === 0
      network.grow(8)
      for (let i = 0; i < 25; i++) {
        disturb(network)
        network.run(network.prng.nextInt(30_000))
        for (const { node } of network.living()) node.assertInvariants()
      }
      network.loss = 0
      network.run(300_000)
      assert.deepEqual(network.complaints(), [])
      for (let i = 0; i < 30; i++) {
        const key = randomGuid(network.prng, 64)
        const roots = network.answering(key).map(({ ref }) => ref.id)
        assert.equal(roots.length, 1)
        for (const from of network.members()) assert.equal(network.rootFor(key, from), roots[0])
      }
    })
  }
})

/** One thing that happens, drawn at random. */
function disturb(network: RealitiesNetwork): void {
  const { prng } = network
  network.loss = prng.chance(0.3) ? 0.1 : 0
  const members = network.members()
  const victim = prng.pick(members)!
  const mayGo = members.length > 4
  const what = prng.nextInt(6)
  if (what === 0 && mayGo) victim.crash()
  else if (what === 1 && mayGo) victim.leave()
  else if (what === 2 && mayGo) {
    victim.crash()
    network.run(prng.nextInt(60_000))
    network.add(victim.ref.id, victim.ref.epoch + 1).join([prng.pick(network.members())!])
  } else if (what === 3) {
    const side = new Set(
      prng
        .shuffle(members)
        .slice(0, members.length >> 1)
        .map(({ ref }) => ref.id),
    )
    network.passes = (from, to) => side.has(from.id) === side.has(to.id)
    network.run(prng.nextInt(200_000))
    network.passes = () => true
  } else network.add(randomGuid(prng, 64)).join([victim])
}
