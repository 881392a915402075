import { canExperiments as experiments } from '../src/experiments/can/index.ts'
import { itRepeatsInSlices } from './slices.ts'
import type { Slices } from './slices.ts'

// A slice of each, large enough for its shape; `npm run simulate -- can EXPERIMENT` is the whole.
const slices: Slices = {
  path: { nodes: 4_096, lookups: 300 },
  realities: { nodes: 4_096, lookups: 300 },
  rtt: { nodes: 4_096, lookups: 300 },
  overloading: { nodes: 1_024, lookups: 300 },
  volumes: { nodes: 4_096 },
  knobs: { nodes: 2_048, lookups: 200 },
}

describe('the experiments of CAN', () => {
  itRepeatsInSlices(experiments, slices)
})
