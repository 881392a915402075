import type { Message } from '@plaxton/kbr'
import { describeRingFailures, describeRingJoins } from '@plaxton/testbed'
import type { Ring } from '@plaxton/testbed'
import { chordDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'

const { successors, predecessors, stabilizeMs, probeTimeoutMs } = chordDefaults
const places = successors + predecessors

const ring: Ring = {
  network: (seed, config) => new TestNetwork(seed, config),
  few: (seed) => new TestNetwork(seed, { successors: 3, predecessors: 3 }),
  tables: 'lists',
  neighbors: places,
  side: successors,
  sizes: [2, 3, 9, 17, 18, 24, 25, 26, 60],
  repairMs: 3 * stabilizeMs,
  lossMs: 2 * stabilizeMs + 5 * probeTimeoutMs,
  joinMessages: places * (places / 2),
  mergeMessages: 300,
  late: { type: 'ping', seq: 1 } as Message,
  question: { type: 'ping', seq: 1 } as Message,
  timer: 'stabilize',
}

describeRingJoins(ring)
describeRingFailures(ring)
