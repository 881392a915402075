import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { PastNode } from '@plaxton/past'
import type { PastEvent } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { Simulation, plane } from '../src/index.ts'
import type { SimNode } from '../src/index.ts'

/** Milliseconds that reads of objects by nodes that have no copy take in the mean, and what was read. */
function readAll(nearReplicas: number): { readonly meanMs: number; readonly read: number; readonly of: number } {
  const simulation = new Simulation({
    seed: 7,
    nodes: 120,
    topology: plane(),
    overlay: pastry(),
    applications: (_, prng) => [new PastNode({ replicas: 5, nearReplicas }, prng)],
  })
  simulation.joinAll({ gapMs: 100 })
  simulation.run(60_000)
  const pastOf = (node: SimNode): PastNode => node.application('past') as PastNode
  const prng = simulation.simulator.stream('reads')
  const objects = Array.from({ length: 20 }, (_, i) => Uint8Array.of(i))
  for (const data of objects) {
    const node = prng.pick(simulation.nodes)!
    simulation.command(node, pastOf(node), (fx, now) => pastOf(node).put({ guid: guidOf(data), data, quorum: 'all' }, now, fx))
  }
  simulation.run(20_000)
  let read = 0
  let totalMs = 0
  simulation.onEvent((_, event) => {
    const ended = event as PastEvent
    if (ended.type !== 'past:done') return
    if (ended.outcome.ok) read++
    totalMs += simulation.now - startedAt
  })
  let startedAt = 0
  let of = 0
  for (const data of objects) {
    for (let i = 0; i < 10; i++) {
      const node = prng.pick(simulation.nodes.filter((each) => simulation.members.ranks(guidOf(data), 5).every((id) => id !== each.id)))!
      startedAt = simulation.now
      of++
      simulation.command(node, pastOf(node), (fx, now) => pastOf(node).get({ guid: guidOf(data) }, now, fx))
      simulation.run(2_000)
    }
  }
  return { meanMs: totalMs / of, read, of }
}

describe('a read of a near replica', () => {
  it('takes less time than one by way of the root, and finds everything as well', () => {
    const usual = readAll(0)
    const near = readAll(5)
    assert.deepEqual([usual.read, near.read], [usual.of, near.of])
    assert.ok(near.meanMs < 0.9 * usual.meanMs, `${near.meanMs} ms, ${usual.meanMs} otherwise`)
  })
})
