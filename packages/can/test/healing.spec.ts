import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { Space } from '../src/index.ts'
import { bitsOf, contains, firstKey, parentOf } from '../src/zone.ts'
import { TestNetwork, reportOf } from './network.ts'

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

  it('is told of at once to all who may have taken it over as well, also those that are no contacts', () => {
    for (let seed = 0; seed < 20; seed++) {
      const network = grown(`told ${seed}`, 24, { groupMin: 2 })
      const victim = network.prng.pick(network.members())!
      const rivals = victim.node.neighborSet(64).map(({ id }) => id)
      const told = new Map<string, Set<string>>()
      network.onSent = (from, to, message) => {
        const { claims = [] } = message as unknown as { claims?: ReadonlyArray<{ caretaker: boolean }> }
        if (message.type !== 'report' || !claims.some(({ caretaker }) => caretaker)) return
        const name = `${from.id} at ${network.now}`
        if (told.size === 0 || told.has(name)) told.set(name, (told.get(name) ?? new Set([from.id])).add(to.id))
      }
      kill(network, victim)
      network.run(3_000)
      const [first] = told.values()
      assert.deepEqual(
        rivals.filter((id) => first?.has(id) !== true),
        [],
        `seed ${seed}`,
      )
    }
  })

  it('is not answered for while somebody who claims it as well may yet prove to be there; but only once as long', () => {
    for (const disputed of [false, true]) {
      const network = grown('disputed', 12)
      const victim = network.members()[5]!
      const zone = victim.node.zones[0]!
      const key = keyOf(victim)
      // Nobody confirms, so that time decides.
      network.passes = (_from, _to, { type }) => type !== 'heard'
      kill(network, victim)
      const taker = (): Host | undefined => network.members().find(({ node }) => node.claims.some((claim) => claim.zone === zone))
      assert.ok(network.runUntil(() => taker() !== undefined, 3_000))
      const since = network.now
      const [claim] = taker()!.node.claims.filter((other) => other.zone === zone)
      const liar = { id: randomGuid(network.prng, 64), address: 'test:liar', epoch: 1 }
      const claims = [{ zone, version: claim!.version + 1, caretaker: false }]
      const lie = reportOf(claims)
      while (network.answering(key).length === 0 && network.now - since < 10_000) {
        if (disputed) taker()!.take(liar, lie)
        network.run(100)
      }
      const waitMs = network.now - since
      assert.ok(Math.abs(waitMs - (disputed ? 3_000 : 1_500)) <= 100, `${waitMs} ms`)
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

  it('stands for nobody in the replica sets of other keys until somebody has taken it over', () => {
    const network = grown('ranks', 9)
    const [first] = network.members() as [Host]
    const before = first.node.replicaSet(keyOf(first), 8)
    const victim = network.hosts.get(before[2]!.id)!
    kill(network, victim)
    assert.ok(network.runUntil(() => !first.node.neighborSet(8).some(({ id }) => id === victim.ref.id), 5_000))
    assert.ok(network.members().every(({ node }) => node.claims.every(({ caretaker }) => !caretaker)))
    assert.deepEqual(
      first.node.replicaSet(keyOf(first), 7),
      before.filter(({ id }) => id !== victim.ref.id),
    )
    assert.deepEqual(first.node.replicaSet(firstKey(victim.node.zones[0]!, width), 7), [])
  })

  it('has another owner soon after the first looks for it, although half of its neighbours died in the same moment', () => {
    for (let seed = 0; seed < 10; seed++) {
      const network = grown(`half ${seed}`, 24)
      const members = network.prng.shuffle(network.members())
      const [victim] = members as [Host]
      const key = keyOf(victim)
      for (const host of members.slice(0, 12)) host.crash()
      network.run(5_000)
      const neighbor = members.slice(12).find(({ node }) => node.neighborSet(64).some(({ id }) => id === victim.ref.id))!
      neighbor.node.suspect(victim.ref, network.now, neighbor)
      assert.ok(
        network.runUntil(() => network.answering(key).length === 1, 9_000),
        `nobody answers within 9 s, seed ${seed}`,
      )
    }
  })

  it('is taken to be dead after three probes of two round trips, however long these take', () => {
    const rttMs = 700
    const network = new TestNetwork('far')
    network.latencyMs = () => rttMs / 2
    network.grow(12)
    network.run(60_000)
    const [one, victim] = network.members() as [Host, Host]
    assert.equal(one.node.measuredMs(victim.ref), rttMs)
    victim.crash()
    const since = network.now
    one.node.suspect(victim.ref, since, one)
    assert.ok(network.runUntil(() => one.events.some(({ type }) => type === 'peer-failed'), 30_000))
    assert.equal(network.now - since, 3 * 2 * rttMs)
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
  it('is not confirmed when it takes over what has been given to somebody since', () => {
    for (const behind of [0, 1]) {
      const network = grown('outdone', 12)
      const [one] = network.members() as [Host]
      const [owner, taker] = one.node.neighborSet(2).map(({ id }) => network.hosts.get(id)!) as [Host, Host]
      const { zone, version } = owner.node.claims[0]!
      const claims = [...taker.node.claims.map((claim) => ({ ...claim })), { zone, version: version - behind, caretaker: true }]
      const said = reportOf(claims)
      let confirmed = false
      network.onSent = (from, to, { type }) => {
        if (from.id === one.ref.id && to.id === taker.ref.id && type === 'heard') confirmed = true
      }
      one.take(taker.ref, said)
      assert.equal(confirmed, behind === 0)
    }
  })

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

describe('a member that is taken to be dead although it lives', () => {
  /** For some seconds nobody hears of it, and a newcomer joins whose point lies in its zone. Then all is well again. */
  function away(network: TestNetwork, victim: Host): Host {
    const { id } = victim.ref
    network.passes = (from) => from.id !== id
    const others = network.members().filter((host) => host !== victim)
    for (const other of others) other.node.suspect(victim.ref, network.now, other)
    const isCaredFor = (): boolean => others.some(({ node }) => node.claims.some(({ caretaker }) => caretaker))
    assert.ok(network.runUntil(isCaredFor, 12_000))
    const newcomer = network.add(`${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}` as Guid)
    newcomer.join(others.slice(0, 1))
    assert.ok(network.runUntil(() => newcomer.node.ready, 8_000))
    network.passes = () => true
    network.run(60_000)
    return newcomer
  }

  it('is still the owner of its zone when it is heard from again, whoever joined meanwhile', () => {
    for (const seed of ['four', 'five', 'six']) {
      const network = grown(seed, 8)
      const victim = network.prng.pick(network.members())!
      const before = victim.node.zones
      away(network, victim)
      assert.deepEqual(victim.node.zones, before)
      assert.equal(victim.events.filter(({ type }) => type === 'ready').length, 1, 'it has been a member all the time')
      assert.deepEqual(network.complaints(), [])
    }
  })

  it('is in nobody’s way: the newcomer gets a part of another zone', () => {
    const network = grown('seven', 2)
    const [other, victim] = network.members() as [Host, Host]
    const newcomer = away(network, victim)
    assert.ok(newcomer.node.zones.every((zone) => parentOf(zone) === parentOf(other.node.zones[0]!)))
    assert.deepEqual(network.complaints(), [])
  })

  it('gets its zone back when it was dead and starts again', () => {
    const network = grown('eight', 8)
    const victim = network.members().find(({ ref, node }) => contains(node.zones[0]!, bitsOf(ref.id)))!
    const before = victim.node.zones
    kill(network, victim)
    network.run(5_000)
    const again = network.add(victim.ref.id, 2)
    again.join(network.members().slice(0, 1))
    assert.ok(network.runUntil(() => again.node.ready, 8_000))
    network.run(5_000)
    assert.deepEqual(again.node.zones, before)
    assert.deepEqual(network.complaints(), [])
  })
})
