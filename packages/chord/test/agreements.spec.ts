import assert from 'node:assert/strict'
import type { ChordMessage, Neighbors, Stabilize } from '../src/messages.ts'
import { chordCodec } from '../src/codec.ts'
import { guid } from '@plaxton/testbed'
import { TestNetwork } from './network.ts'

type WithLists = Stabilize | Neighbors

/** The messages with lists that are sent while `action` runs the network. */
function reportsWhile(network: TestNetwork, action: () => void): WithLists[] {
  const reports: WithLists[] = []
  network.onSent = (_from, _to, message) => {
    const { type } = message
    if (type === 'stabilize' || type === 'neighbors') reports.push(message as WithLists)
  }
  action()
  network.onSent = () => {}
  return reports
}

function quietNetwork(): TestNetwork {
  const network = new TestNetwork('quiet')
  network.grow(40)
  network.run(1_800_000)
  return network
}

describe('lists that have not changed', () => {
  it('are said no more in a quiet network', () => {
    const network = quietNetwork()
    const reports = reportsWhile(network, () => network.run(600_000))
    assert.ok(reports.length > 40 * 20)
    // A pair of neighbours that has not met since the last change has them to tell once.
    assert.ok(reports.filter(({ unchanged }) => !unchanged).length < reports.length / 20)
    for (const message of reports) if (message.unchanged) assert.ok(chordCodec.encode(message as ChordMessage).length < 40)
  })

  it('are said again when a node has joined or gone', () => {
    for (const change of ['join', 'crash'] as const) {
      const network = quietNetwork()
      const reports = reportsWhile(network, () => {
        if (change === 'join') network.add().join([network.members()[0]!])
        else network.members()[0]!.crash()
        network.run(120_000)
      })
      assert.ok(reports.filter(({ unchanged }) => !unchanged).length > 24)
      assert.deepEqual(network.complaints(), [])
    }
  })

  it('are said whole to whoever lacks somebody that they name', () => {
    const network = new TestNetwork('lacks', { successors: 3, predecessors: 3 })
    const hosts = network.grow(['10', '20', '30', '40', '50', '60', '70', '80'].map(guid))
    network.run(600_000)
    // 20 takes 30 for dead, wrongly: whoever it asks tells it the whole lists, and it finds 30 again.
    const [, host, wronged] = hosts
    network.passes = (from, to) => ![from.id, to.id].includes(wronged!.ref.id) || ![from.id, to.id].includes(host!.ref.id)
    host!.peerDown(wronged!.ref, 'disconnected')
    network.run(20_000)
    assert.ok(!host!.node.successors.some(({ id }) => id === wronged!.ref.id))
    network.passes = () => true
    network.run(180_000)
    assert.deepEqual(network.complaints(), [])
  })
})
