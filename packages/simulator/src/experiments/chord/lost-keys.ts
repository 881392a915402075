import { randomGuid } from '@plaxton/guid'
import { uniform } from '../../topology.ts'
import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Lookups after a mass failure and its repair (SIGCOMM 2001, §6.4, figure 11): each key is held by its owner alone; a share of the nodes dies; when the ring has repaired
 * itself, a lookup fails only if the key's holder has died. Published with 10^4 nodes and 10^6 keys; grown by the protocol, so the default is smaller.
 */
export function lostKeys(options: ExperimentOptions): Report {
  const { nodes = 500, lookups = 10_000 } = options
  const rows = shares.map((share) => {
    const world = new World(options, { nodes, topology: uniform(50) })
    world.grow(nodes, { gapMs: joinGapMs })
    const { simulation, log } = world
    const prng = simulation.simulator.stream('keys')
    const keys = Array.from({ length: lookups }, () => randomGuid(prng)).map((key) => ({
      key,
      holder: simulation.members.root(key)!.host.index,
    }))
    for (const node of prng.shuffle(simulation.running()).slice(0, Math.round(share * nodes))) simulation.crash(node)
    simulation.run(repairMs)
    const living = simulation.running()
    for (const { key } of keys) {
      log.send(simulation, prng.pick(living)!, key)
      simulation.run(1)
    }
    simulation.run(30_000)
    const isLost = (i: number): boolean => !simulation.nodes[keys[i]!.holder]!.running
    const failed = log.probes.filter((probe, i) => probe.deliveredAt !== keys[i]!.holder)
    const lost = keys.filter((_, i) => isLost(i)).length
    options.onProgress?.(percent(share))
    return { share, failed: failed.length / lookups, lost: lost / lookups, traceHash: simulation.traceHash }
  })
  return {
    title: `${nodes} nodes, a share dies, two minutes later ${lookups} lookups of keys that only their owners held`,
    columns: ['dead', 'keys lost', 'lookups failed', 'published'],
    rows: rows.map(({ share, failed, lost }) => [percent(share), percent(lost), percent(failed), 'as many as keys lost (T)']),
    claims: [
      {
        says: 'lookups fail for lost keys only',
        holds: rows.every(({ failed, lost }) => failed === lost),
        measured: rows.map(({ failed, lost }) => `${percent(failed)} of ${percent(lost)}`).join(', '),
      },
    ],
    traceHash: rows.at(-1)!.traceHash,
  }
}

const shares = [0.1, 0.2, 0.5]
/** Our choice: three to four periods of stabilising. */
const repairMs = 120_000
const joinGapMs = 100
