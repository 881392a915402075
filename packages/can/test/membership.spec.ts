import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { JoinRefusal, JoinRequest } from '../src/messages.ts'
import { TestNetwork, reportOf } from './network.ts'
import { bitsOf, overlap } from '../src/zone.ts'

/** Who delivers the key: everybody that does. */
function deliverers(network: TestNetwork, key: Guid): number {
  return network.members().filter(({ node }) => node.nextHop(key, 0, new Set()).action === 'deliver').length
}

function assertTiled(network: TestNetwork): void {
  const zones = network.members().flatMap(({ node }) => node.zones)
  for (const [i, a] of zones.entries()) for (const b of zones.slice(i + 1)) assert.ok(!overlap(a, b), `'${a}' overlaps '${b}'`)
  assert.equal(network.volume(), 1)
  for (let i = 0; i < 20; i++) assert.equal(deliverers(network, randomGuid(network.prng, 64)), 1)
  for (const { node } of network.members()) node.assertInvariants()
}

describe('zones tile the space', () => {
  it('after each of twelve joins', () => {
    const network = new TestNetwork('joins', { dimensions: 2 })
    for (let i = 0; i < 12; i++) {
      network.grow(1)
      network.run(3_000)
      assertTiled(network)
    }
  })

  it('and each newcomer owns its own id', () => {
    const network = new TestNetwork('own id', { dimensions: 3 })
    for (const host of network.grow(6)) {
      if (host === network.members().at(-1)) assert.ok(host.node.zones.some((zone) => bitsOf(host.ref.id).startsWith(zone)))
    }
  })

  it('after a third of twenty nodes have crashed at one moment', () => {
    const network = new TestNetwork('crash')
    const hosts = network.grow(20)
    network.run(10_000)
    for (const host of hosts.slice(3, 10)) host.crash()
    network.run(200_000)
    assertTiled(network)
  })

  it('after nodes have left, and soon everybody has one zone again', () => {
    const network = new TestNetwork('leave', { dimensions: 2 })
    const hosts = network.grow(12)
    network.run(10_000)
    for (const host of hosts.slice(0, 4)) {
      host.leave()
      network.run(5_000)
      assertTiled(network)
    }
    network.run(300_000)
    assertTiled(network)
    for (const { node } of network.members()) assert.equal(node.zones.length, 1)
  })

  it('after the two halves of a network that was cut for minutes are together again', () => {
    const network = new TestNetwork('cut')
    const one = new Set(
      network
        .grow(12)
        .slice(0, 5)
        .map(({ ref }) => ref.id),
    )
    network.run(10_000)
    network.passes = (from, to) => one.has(from.id) === one.has(to.id)
    network.run(300_000)
    assert.equal(network.volume(), 2, 'each half tiles the space for itself')
    network.passes = () => true
    network.run(600_000)
    assertTiled(network)
  })

  it('after a short cut exactly as before: what was taken care of goes back to its owner', () => {
    const network = new TestNetwork('short cut')
    const hosts = network.grow(10)
    network.run(10_000)
    const zones = (): string[] => hosts.map(({ node }) => node.zones.join())
    const before = zones()
    const one = new Set(hosts.slice(0, 4).map(({ ref }) => ref.id))
    network.passes = (from, to) => one.has(from.id) === one.has(to.id)
    network.run(60_000)
    assert.notDeepEqual(zones(), before)
    network.passes = () => true
    network.run(300_000)
    assert.deepEqual(zones(), before)
  })

  it('while a tenth of all messages are lost, once that is over', () => {
    const network = new TestNetwork('loss')
    network.passes = () => !network.prng.chance(0.1)
    network.grow(10)
    network.run(300_000)
    network.passes = () => true
    network.run(300_000)
    assert.equal(network.members().length, 10)
    assertTiled(network)
  })
})

describe('uniform partitioning', () => {
  it('splits the largest zone of the neighbourhood', () => {
    const spread = (uniformPartitioning: 0 | 1): number => {
      const network = new TestNetwork('uniform', { dimensions: 2, uniformPartitioning })
      network.grow(24)
      network.run(5_000)
      assertTiled(network)
      const depths = network.members().flatMap(({ node }) => node.zones.map((zone) => zone.length))
      return Math.max(...depths) - Math.min(...depths)
    }
    assert.ok(spread(1) < spread(0))
    assert.ok(spread(1) <= 2)
  })
})

describe('a stranger that claims what is not its own', () => {
  it('gets nothing as long as it does not answer', () => {
    const network = new TestNetwork('stranger', { dimensions: 2 })
    const hosts = network.grow(6)
    network.run(5_000)
    const liar = { id: randomGuid(network.prng, 64), address: 'test:liar', epoch: 1 }
    const claims = [{ zone: '' as (typeof hosts)[0]['node']['zones'][0], version: 99, caretaker: false }]
    const lie = reportOf(claims)
    for (const host of hosts) host.take(liar, lie)
    network.run(60_000)
    assertTiled(network)
    assert.equal(network.members().length, 6)
  })
})

describe('a joiner that is refused again and again', () => {
  for (const member of [false, true]) {
    it(member ? 'by a member founds no network beside it' : 'by fellow joiners alone founds a network, having the least id', () => {
      const network = new TestNetwork('refused')
      const joiner = network.add(`${'0'.repeat(15)}1` as Guid)
      const other = network.add('f'.repeat(16) as Guid)
      const { ref } = other
      network.passes = (_from, to) => to.id !== ref.id
      const asked: number[] = []
      network.onSent = (_from, to, message) => {
        if (to.id === ref.id && message.type === 'join-request') asked.push((message as JoinRequest).attempt)
      }
      joiner.join([other])
      for (let i = 0; i < 600; i++) {
        const refusals = asked.splice(0).map((attempt): JoinRefusal => ({ type: 'join-refusal', attempt, member }))
        for (const refusal of refusals) joiner.take(ref, refusal)
        network.run(100)
      }
      assert.equal(joiner.node.ready, !member)
    })
  }
})

describe('the distance of a contact', () => {
  it('is known from the first exchange of reports, without waiting for pings', () => {
    const network = new TestNetwork('distances')
    network.grow(10)
    network.run(1_000)
    const measured = network
      .members()
      .flatMap(({ node }) => node.neighborSet(20).map((contact) => node.measuredMs(contact)))
      .filter((rttMs) => rttMs !== undefined)
    assert.ok(measured.length >= 81, `${measured.length} of 90 contacts are measured`)
    for (const rttMs of measured) assert.equal(rttMs, 20, 'ten there and ten back')
  })
})
