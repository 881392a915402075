import { pastry } from '@plaxton/pastry'
import { ProbeLog } from '../src/probe.ts'
import { Simulation } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'
import { Violations } from '../src/violations.ts'

/** Thirty nodes at rest, for a test to break. */
export function network() {
  const log = new ProbeLog()
  const simulation = new Simulation({
    seed: 1,
    nodes: 30,
    topology: uniform(20),
    overlay: pastry(),
    applications: () => [log.application()],
  })
  simulation.joinAll({ gapMs: 100 })
  simulation.run(10_000)
  return { simulation, log, violations: new Violations() }
}
