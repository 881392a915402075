import assert from 'node:assert/strict'
import type { Millis } from '@plaxton/kbr'
import { Space } from '../src/index.ts'
import { firstKey } from '../src/zone.ts'
import { TestNetwork } from './network.ts'

type Host = ReturnType<TestNetwork['members']>[number]

const width = 16

/** Members at rest. */
function grown(seed: string, nodes: number, config: ConstructorParameters<typeof TestNetwork>[1] = {}): TestNetwork {
  const network = new TestNetwork(seed, config)
  network.grow(nodes)
  network.run(60_000)
  return network
}

const keyOf = ({ node }: Host): ReturnType<typeof firstKey> => firstKey(node.zones[0]!, width)

/** A process ends: those connected to it notice, and cannot connect again. */
function kill(network: TestNetwork, host: Host): void {
  network.tellsUnreachable = true
  host.crash()
  for (const other of network.members()) other.peerDown(host.ref, 'disconnected')
}

/** One node answers for the zone again within this time, and at no moment do two. */
function healsWithin(network: TestNetwork, host: Host, forMs: Millis): void {
  const key = keyOf(host)
  const since = network.now
  kill(network, host)
  let healedAt: Millis | undefined
  while (network.now - since <= forMs) {
    network.run(1)
    const answering = network.answering(key).length
    assert.ok(answering <= 1, 'two answer for one key')
    if (answering === 1) healedAt ??= network.now
  }
  assert.ok(healedAt !== undefined, `nobody answers within ${forMs} ms`)
  network.run(5_000)
  assert.deepEqual(network.complaints(), [])
}

describe('the zone of a dead node', () => {
  it('has another owner within half a second, where links break', () => {
    const network = grown('heal', 24)
    for (let i = 0; i < 6; i++) {
      healsWithin(network, network.prng.pick(network.members())!, 500)
      network.run(120_000)
    }
  })

  it('is answered for by one of those that took it over at the same moment', () => {
    for (const seed of ['one', 'two', 'three']) {
      const network = grown(seed, 16, { takeoverMs: 1 })
      const claimed = new Set<string>()
      network.onSent = (from, _to, message) => {
        const { claims = [] } = message as unknown as { claims?: ReadonlyArray<{ caretaker: boolean }> }
        if (message.type === 'report' && claims.some(({ caretaker }) => caretaker)) claimed.add(from.id)
      }
      healsWithin(network, network.prng.pick(network.members())!, 2_500)
      assert.ok(claimed.size > 1, 'several took it over')
    }
  })

  it('is taken over by nobody as long as a neighbour of it sees it alive', () => {
    const network = grown('one link', 12)
    const zones = (): string[] => network.members().map(({ node }) => node.claims.map(({ zone }) => zone).join())
    const before = zones()
    const [other] = network.members() as [Host]
    // The one that would take over: of its neighbours it has the least.
    const space = new Space(4, 4 * width)
    const one = network
      .members()
      .filter(({ node }) => space.abut(node.zones[0]!, other.node.zones[0]!))
      .toSorted((a, b) => b.node.zones[0]!.length - a.node.zones[0]!.length)[0]!
    network.passes = (from, to) => ![from.id, to.id].every((id) => id === one.ref.id || id === other.ref.id)
    one.node.suspect(other.ref, network.now, one)
    for (let i = 0; i < 60; i++) {
      network.run(1_000)
      assert.deepEqual(zones(), before)
    }
    assert.ok(one.events.some(({ type }) => type === 'peer-failed'))
  })

  it('is found to be without an owner although all that watched that node died with it, and nobody sends anything', () => {
    const network = grown('silent', 24)
    const [victim] = network.members() as [Host]
    for (const { id } of victim.node.neighborSet(4)) network.hosts.get(id)!.crash()
    victim.crash()
    network.run(80_000)
    assert.deepEqual(network.complaints(), [])
  })
})

describe('at rest', () => {
  it('nodes send each other nothing but beats and a look now and then for other parts of the network', () => {
    const network = grown('rest', 24)
    network.run(240_000)
    const kinds = new Map<string, number>()
    network.onSent = (_from, _to, { type }) => kinds.set(type, (kinds.get(type) ?? 0) + 1)
    const minutes = 10
    network.run(minutes * 60_000)
    assert.deepEqual([...kinds.keys()].sort(), ['beat', 'join-request', 'route'])
    const beats = kinds.get('beat')! / 24 / minutes
    // Three times a minute to four watchers, every two minutes to everybody else.
    assert.ok(beats >= 12 && beats <= 24, `${beats} beats a minute`)
  })
})

describe('a report', () => {
  it('is sent again until it is confirmed', () => {
    const network = grown('confirmed', 12)
    const reportsWithin = (forMs: Millis): number => {
      let reports = 0
      network.onSent = (_from, _to, { type }) => void (type === 'report' && reports++)
      network.run(forMs)
      return reports
    }
    network.passes = (_from, _to, { type }) => type !== 'heard'
    network.grow(1)
    network.run(5_000)
    assert.ok(reportsWithin(30_000) > 12)
    assert.ok(reportsWithin(30_000) > 12)
    network.passes = () => true
    network.run(30_000)
    assert.equal(reportsWithin(60_000), 0)
  })
})
