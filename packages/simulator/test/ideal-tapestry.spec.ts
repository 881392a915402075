import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { IdealTapestry } from '../src/ideal-tapestry.ts'
import { surrogate } from '../src/ownership.ts'
import { plane } from '../src/topology.ts'
import type { Topology } from '../src/topology.ts'

const guid = (text: string) => text as Guid

describe('ideal Tapestry', () => {
  // published-results.md §4: ideal tables on the plane, 2.22 hops for 400 nodes, 2.58 for 1,090; object stretch 2.0 (ratio of sums), median 1.85.
  // Between sets of ids the hops differ by some hundredths.
  for (const [nodes, hops] of [
    [400, 2.22],
    [1090, 2.58],
  ] as const) {
    it(`${nodes} nodes: has the hops and the object stretch that were worked out for the reference`, () => {
      const { prng, topology, places, ideal } = world(nodes)
      const lookups = 10_000
      let [allHops, distance, direct] = [0, 0, 0]
      const stretches = []
      for (let i = 0; i < lookups; i++) {
        const [client, server] = [prng.pick(places)!, prng.pick(places)!]
        const key = randomGuid(prng)
        allHops += ideal.route(client.id, key).hops
        if (client === server) continue
        ideal.publish(server.id, key)
        const found = ideal.find(client.id, key)!
        assert.equal(found.server, server.id)
        distance += found.distance
        direct += topology.distance(client.host, server.host)
        stretches.push(found.distance / topology.distance(client.host, server.host))
      }
      const median = stretches.sort((a, b) => a - b)[stretches.length >> 1]!
      assert.ok(Math.abs(allHops / lookups - hops) < 0.05, `${allHops / lookups} hops`)
      assert.ok(Math.abs(distance / direct - 2.0) < 0.1, `ratio of sums ${distance / direct}`)
      assert.ok(Math.abs(median - 1.85) < 0.15, `median ${median}`)
    })
  }

  it('routes to the root that surrogate routing defines, from everywhere', () => {
    const { prng, places, ideal } = world(100)
    const ids = places.map((place) => place.id)
    for (let i = 0; i < 50; i++) {
      const key = randomGuid(prng)
      const [root] = surrogate(4).ranks(key, ids, 1)
      // Published at the root alone, a message from anywhere must come past it to find a pointer.
      ideal.publish(root!, key)
      for (const id of ids) assert.equal(ideal.find(id, key)!.pointerAt, root)
    }
  })

  it('goes by the nearest that qualifies, and turns off at the first pointer', () => {
    // On a line at 0, 1, 2, …: 1000 at 0; 2100 at 1 and 2200 at 2; 2345 at 3 is the root of 2345.
    const ideal = new IdealTapestry(line, [
      { id: guid('1000'), host: 0 },
      { id: guid('2100'), host: 1 },
      { id: guid('2200'), host: 2 },
      { id: guid('2345'), host: 3 },
    ])
    assert.deepEqual(ideal.route(guid('1000'), guid('2345')), { hops: 2, distance: 3 })
    ideal.publish(guid('2200'), guid('2345'))
    assert.deepEqual(ideal.find(guid('1000'), guid('2345')), { hops: 3, distance: 4, pointerAt: '2345', server: '2200', servers: ['2200'] })
    ideal.publish(guid('2100'), guid('2345'))
    assert.deepEqual(ideal.find(guid('1000'), guid('2345')), { hops: 1, distance: 1, pointerAt: '2100', server: '2100', servers: ['2100'] })
    assert.equal(ideal.find(guid('1000'), guid('9999')), undefined)
  })

  it('puts extra pointers on backups of the next hop and on near nodes, for the first hops', () => {
    const places = ['1000', '2100', '2200', '2345'].map((id, host) => ({ id: guid(id), host }))
    const ideal = new IdealTapestry(line, places)
    // From 1000: next is 2100, its backup 2200 (2 away); the nearest of all is 2100, which is on the path already.
    assert.equal(ideal.publish(guid('1000'), guid('2345'), { backups: 1, nearest: 1, hops: 1 }), 1)
    assert.equal(ideal.find(guid('2200'), guid('2345'))!.pointerAt, '2200')
  })

  it('puts extra pointers on hop i on near nodes that share i digits with the node there, and counts nodes', () => {
    const ideal = new IdealTapestry(line, [
      { id: guid('1000'), host: 0 },
      { id: guid('2100'), host: 10 },
      { id: guid('9000'), host: 11 },
      { id: guid('2200'), host: 15 },
      { id: guid('2345'), host: 30 },
    ])
    // The way is 1000, 2100, 2345. Nearest to 1000 of all is 2100, which is on it; nearest to 2100 of those with a 2 is 2200, though 9000 is nearer.
    assert.equal(ideal.publish(guid('1000'), guid('2345'), { backups: 0, nearest: 1, hops: 2 }), 1)
    assert.equal(ideal.find(guid('2200'), guid('2345'))!.pointerAt, '2200')
    assert.equal(ideal.find(guid('9000'), guid('2345'))!.pointerAt, '2100')
    // 2200 is the backup of 2100 and the third nearest of all at once.
    assert.equal(ideal.publish(guid('1000'), guid('2346'), { backups: 1, nearest: 3, hops: 1 }), 2)
  })
})

const line: Topology = {
  name: 'line',
  place: () => {},
  latencyMs: (a, b) => Math.max(1, Math.abs(a - b)),
  distance: (a, b) => Math.abs(a - b),
}

function world(nodes: number) {
  const prng = Prng.fromSeed(1)
  const topology = plane()(prng.fork())
  const places = Array.from({ length: nodes }, (_, host) => {
    topology.place()
    return { id: randomGuid(prng), host }
  })
  return { prng, topology, places, ideal: new IdealTapestry(topology, places) }
}
