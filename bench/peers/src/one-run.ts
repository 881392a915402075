// One run of one system in a process of its own, forked by main.ts; sends its RunResult.

import { Prng } from '@plaxton/kbr'
import { systems } from './systems.ts'
import { Workload } from './workload.ts'
import type { RunResult } from './figures.ts'
import type { Amount } from './workload.ts'

const [name, seed, amountJson] = process.argv.slice(2)
const system = systems.find((each) => each.name === name)
if (system === undefined || amountJson === undefined) throw new Error('this is started by main.ts')
const amount = JSON.parse(amountJson) as Amount

// Some systems raise errors of a node that was ended where nobody can catch them. They are reported with the rest.
const stray: string[] = []
process.on('uncaughtException', (error) => stray.push(`outside of any call: ${String(error)}`))

const workload = new Workload(system, amount, Prng.fromSeed(Number(seed)))
const errors: string[] = []
try {
  await workload.run()
} catch (error) {
  errors.push(String(error))
}
const result: RunResult = {
  system: system.name,
  nodes: amount.nodes,
  seed: Number(seed),
  figures: workload.figures,
  errors: [...errors, ...workload.errors, ...stray.slice(0, 3)],
}
process.send!(result, () => process.exit())
