import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pastry } from '@plaxton/pastry'
import { Simulation, plane } from '../src/index.ts'

/**
 * What an idle Pastry node weighs, and how long it takes to join so many by the protocol: b = 4, |L| = 16, |M| = 0, on the plane, and then two minutes of rest.
 * NODES=10000 for another size. The weight of a core is what becomes free when all nodes crash: the node with its walking and its tables, without what the simulator keeps for it.
 */

const nodes = Number(process.env['NODES'] ?? 2000)
/** All come within 100 virtual seconds. */
const gapMs = Math.ceil(100_000 / nodes)
const restMs = 120_000
/** How many join between two lines. */
const batch = 5000

const before = used()
const started = cpuSeconds()
const simulation = new Simulation({ seed: 1, nodes, topology: plane(), overlay: pastry(), applications: () => [] })
while (simulation.nodes.length < nodes) {
  simulation.addNode()
  simulation.run(gapMs)
  if (simulation.nodes.length % batch === 0) tell()
}
const joined = simulation.joinAll({ gapMs })
tell()
simulation.run(restMs)
const all = used()
for (const node of simulation.nodes) simulation.crash(node)
const without = used()
console.log(
  `${joined ? 'all' : 'not all'} joined; each weighs ${perNode(all.heap - before.heap)} bytes of heap and ${perNode(all.outside - before.outside)} outside it`,
)
console.log(`of which the core weighs ${perNode(all.heap - without.heap)} bytes`)

/** How far it is, what it costs and when it will be done. */
function tell(): void {
  const { counts } = simulation.simulator
  const seconds = cpuSeconds() - started
  const share = simulation.nodes.length / nodes
  const rate = Math.round(counts.deliveries / seconds)
  const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20)
  const left = Math.round(seconds / share - seconds)
  console.log(
    `${simulation.nodes.length} nodes, ${counts.deliveries} messages in ${seconds.toFixed(1)} s, ${rate} a second, ${heap} MiB, ${left} s left`,
  )
}

function perNode(bytes: number): number {
  return Math.round(bytes / nodes)
}

/** Bytes in use once everything that can be is let go of. */
function used(): { readonly heap: number; readonly outside: number } {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed, outside: arrayBuffers }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
