import { Plane } from '../test/plane.ts'

/**
 * 1,000 nodes join by messages on a plane where latency is distance, up to 20 at a time: how good their routing tables are, what joining
 * and resting cost in messages, and what a node weighs. No application, no routed message but the joins.
 */

const nodes = 1_000
const restMs = 600_000

const collect = (globalThis as { gc?: () => void }).gc
const before = heapUsed()
const startedAt = performance.now()
const plane = new Plane('bench').grow(nodes)
const { network } = plane
const perJoin = network.sent / nodes
const seconds = (performance.now() - startedAt) / 1_000
const { hops, ratio } = plane.walk(20_000)
console.log(
  `${nodes} joins: ${perJoin.toFixed(0)} messages each, upkeep included; ${seconds.toFixed(1)} s of real time, ${(network.now / 1_000).toFixed(0)} s virtual`,
)
console.log(`routes: ${hops.toFixed(3)} hops, ${ratio.toFixed(3)} times the direct way`)

const { sent } = network
network.run(restMs)
console.log(`rest: ${((network.sent - sent) / nodes / (restMs / 1_000)).toFixed(3)} messages a second and node`)
if (collect !== undefined)
  console.log(`heap: ${((heapUsed() - before) / nodes / 1_024).toFixed(1)} KiB a node, the test's own queue included`)

function heapUsed(): number {
  collect?.()
  return process.memoryUsage().heapUsed
}
