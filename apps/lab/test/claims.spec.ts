import assert from 'node:assert/strict'
import { addToGuid, parseGuid } from '@plaxton/guid'
import { overlays, pastryUnderTest } from '@plaxton/simulator'
import type { Simulation } from '@plaxton/simulator'
import { claims } from '../src/claims/claims.ts'
import { verdictOf } from '../src/claims/exhibit.ts'
import type { Ground } from '../src/claims/exhibit.ts'
import { renderExhibit } from '../src/claims/render.ts'

const sound: Ground = { subject: overlays.pastry(), seed: 1, nodes: 40, samples: 4 }

/** For each row that can be measured: what its claim rests on, taken away. */
const broken: Readonly<Record<string, { readonly how: string; readonly ground: Ground }>> = {
  scale: {
    how: 'everybody has everybody in the leaf set',
    ground: { ...sound, nodes: 16, subject: pastryUnderTest({ leafSetSize: 64 }) },
  },
  'load-balancing': {
    how: 'ids are not random but lie side by side',
    ground: { ...sound, prepare: clusterIds },
  },
  'network-dynamics': {
    how: 'nodes wait a minute for each sign of life',
    ground: {
      ...sound,
      subject: pastryUnderTest({ leafSetSize: 16, probeTimeoutMs: 60_000, probeTimeoutMinMs: 60_000, heartbeatMs: 600_000 }),
    },
  },
  'fault-tolerance': {
    how: 'nodes know only one neighbour on either side, and put no more copies',
    ground: { ...sound, subject: pastryUnderTest({ leafSetSize: 2 }) },
  },
  'target-identification': {
    how: 'messages take any time up to four seconds longer, so that nobody can tell near from far',
    ground: { ...sound, prepare: ({ network }) => void (network.jitterMs = 4000) },
  },
  security: {
    how: 'every signature passes for good',
    ground: { ...sound, prepare: ({ simulator }) => void (simulator.keys.verify = () => ({ kind: 'verified', valid: true })) },
  },
}

describe('the claims', function () {
  this.timeout(120_000)

  it('are the seven rows of the comparison, in its order', () => {
    assert.deepEqual(Object.keys(claims), [
      'scale',
      'load-balancing',
      'network-dynamics',
      'fault-tolerance',
      'target-identification',
      'security',
      'anonymity',
    ])
  })

  for (const [row, measure] of Object.entries(claims)) {
    const breakage = broken[row]
    if (breakage === undefined) continue

    it(`${row}: held on 40 nodes of Pastry`, async () => {
      const exhibit = await measure(sound)
      assert.equal(verdictOf(exhibit), 'held', renderExhibit(exhibit))
    })

    it(`${row}: not held when ${breakage.how}`, async () => {
      const exhibit = await measure(breakage.ground)
      assert.equal(verdictOf(exhibit), 'not held', renderExhibit(exhibit))
      assert.match(renderExhibit(exhibit), /NOT HELD/)
    })
  }

  it('anonymity: not built, and says so', async () => {
    const exhibit = await claims['anonymity']!(sound)
    assert.equal(verdictOf(exhibit), 'not built')
    assert(exhibit.notBuilt.length > 0)
  })

  it('security: is the same again with the same seed, and says what is not built beside what was measured', async () => {
    const [once, again] = [await claims['security']!(sound), await claims['security']!(sound)]
    assert.deepEqual(again, once)
    assert.match(renderExhibit(once), /^ {2}not built {3}No exhibit yet for nodes that route wrongly/m)
  })
})

/** One id after another, a millionth of the space apart. */
function clusterIds(simulation: Simulation): void {
  const add = simulation.addNode.bind(simulation)
  const first = parseGuid('5'.repeat(64))
  simulation.addNode = () => add(addToGuid(first, BigInt(simulation.nodes.length) << 236n))
}
