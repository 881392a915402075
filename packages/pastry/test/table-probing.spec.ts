import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { randomGuid } from '@plaxton/guid'
import { Recorder, ref } from '@plaxton/testbed'
import { pastryDefaults } from '../src/index.ts'
import { Probing } from '../src/probing.ts'
import { TableProbing } from '../src/table-probing.ts'
import { memberState } from './helpers.ts'

const hour = 3_600_000

function nodeAmong(count: number): { state: ReturnType<typeof memberState>; tableProbing: TableProbing; fx: Recorder } {
  const prng = Prng.fromSeed(`table ${count}`)
  const others = Array.from({ length: count - 1 }, () => ref(randomGuid(prng, 128)))
  const state = memberState(ref(randomGuid(prng, 128)), others, { leafSetSize: 32 })
  const fx = new Recorder()
  const tableProbing = new TableProbing(state, new Probing(state))
  tableProbing.start(0, fx)
  fx.take()
  return { state, tableProbing, fx }
}

describe('probing the routing table', () => {
  it('estimates the size of the network from its leaf set', () => {
    for (const count of [1, 5, 33]) assert.equal(nodeAmong(count).state.leafSet.estimateNodes(), count)
    const estimate = nodeAmong(2_000).state.leafSet.estimateNodes()
    // 32 gaps: a standard error of 18 %.
    assert.ok(estimate > 1_000 && estimate < 4_000, String(estimate))
  })

  it('sends nothing while nobody fails', () => {
    const { tableProbing, fx } = nodeAmong(500)
    assert.equal(tableProbing.periodMs(24 * hour), Infinity)
    for (let now = 0; now < hour; now += 30_000) tableProbing.onTimer(now, fx)
    assert.deepEqual(fx.sent(), [])
  })

  it("takes the period that solves MSPastry's model for the failures seen", () => {
    const { state, tableProbing } = nodeAmong(2_000)
    // One of 32 neighbours fails every 112.5 s: sessions of an hour.
    for (let i = 1; i <= 15; i++) tableProbing.noteFailure(i * 112_500)
    const now = 15 * 112_500
    const periodMs = tableProbing.periodMs(now)

    const perMs = 1 / hour
    const dead = (ms: number): number => 1 - (1 - Math.exp(-ms * perMs)) / (ms * perMs)
    const { heartbeatMs, probeTimeoutMs, lossTarget } = pastryDefaults
    const late = 1 - (1 - dead(heartbeatMs + 3 * probeTimeoutMs)) * (1 - dead(periodMs + 3 * probeTimeoutMs)) ** (state.expectedHops() - 1)
    assert.ok(Math.abs(late - lossTarget) < 0.001, `${late} of the messages meet a dead entry`)
  })

  it('goes round all entries outside the leaf set, one at a time', () => {
    const { state, tableProbing, fx } = nodeAmong(500)
    // So many failures that every timer probes.
    for (let i = 1; i <= 15; i++) tableProbing.noteFailure(1_000 * i)
    const entries = state.routingTable.entries().filter(({ id }) => !state.leafSet.has(id))
    const probed = new Set<string>()
    for (let i = 0; i < entries.length; i++) {
      tableProbing.onTimer(15_000, fx)
      const sent = fx.sent()
      assert.equal(sent.length, 1)
      probed.add(sent[0]!)
    }
    assert.deepEqual(probed, new Set(entries.map(({ id }) => `${id} ping`)))
  })
})
