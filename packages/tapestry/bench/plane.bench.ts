import { Plane } from '../test/plane.ts'

/** Networks on a plane, joining by messages one node after the other: what an insertion costs, how messages travel, what upkeep costs. */

for (const nodes of [100, 200, 400, 1_090]) {
  const startedAt = performance.now()
  const plane = new Plane(`bench ${nodes}`)
  const { network } = plane
  plane.grow(Math.ceil(0.9 * nodes))
  const [sent, at] = [network.sent, network.now]
  plane.grow(nodes)
  const joined = nodes - Math.ceil(0.9 * nodes)
  const [perJoin, perJoinMs] = [(network.sent - sent) / joined, (network.now - at) / joined]
  const fresh = plane.walk(20_000)
  network.run(1_800_000)
  const before = network.sent
  network.run(600_000)
  const rate = (network.sent - before) / 600 / nodes
  // What all others do meanwhile for their upkeep is not the joiner's.
  const upkeep = (rate * nodes * perJoinMs) / 1_000
  const settled = plane.walk(20_000)
  console.log(`${nodes} nodes`)
  console.log(
    `  insertion: ${Math.round(perJoinMs)} ms, ${Math.round(perJoin)} messages, ${Math.round(upkeep)} of these for the upkeep of all`,
  )
  console.log(`  after the last joined: ${show(fresh)}`)
  console.log(`  half an hour later:    ${show(settled)}; ${rate.toFixed(2)} messages a second and node at rest`)
  console.log(`  ${((performance.now() - startedAt) / 1_000).toFixed(0)} s of this machine`)
}

function show({ hops, ratio }: { hops: number; ratio: number }): string {
  return `${hops.toFixed(2)} hops to the root, ${ratio.toFixed(2)} times the direct way`
}
