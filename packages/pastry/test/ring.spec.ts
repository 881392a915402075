import type { Message } from '@plaxton/kbr'
import { describeRingFailures, describeRingJoins } from '@plaxton/testbed'
import type { Ring } from '@plaxton/testbed'
import { pastryDefaults } from '../src/index.ts'
import { TestNetwork } from './network.ts'

const { leafSetSize, heartbeatMs, probeTimeoutMs } = pastryDefaults

const ring: Ring = {
  network: (seed, config) => new TestNetwork(seed, config),
  few: (seed) => new TestNetwork(seed, { leafSetSize: 6 }),
  tables: 'leaf sets',
  neighbors: leafSetSize,
  side: leafSetSize,
  sizes: [2, 3, 9, 16, 17, 18, 33, 80],
  repairMs: 3 * heartbeatMs,
  lossMs: 2 * heartbeatMs + 5 * probeTimeoutMs,
  joinMessages: leafSetSize * leafSetSize,
  mergeMessages: 200,
  late: { type: 'heartbeat' },
  question: { type: 'ping', seq: 1 } as Message,
  timer: 'heartbeat',
}

describeRingJoins(ring)
describeRingFailures(ring)
