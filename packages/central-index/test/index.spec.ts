import assert from 'node:assert/strict'
import { TestNetwork, idOf, someBytes, textBytes } from './network.ts'

describe('Napster’s five steps', () => {
  it('location request, list of peers, file request, delivery, index update', () => {
    const network = new TestNetwork({ servers: 1, clients: 3 })
    const [ann, ben, cleo] = network.clients as [(typeof network.clients)[0], (typeof network.clients)[0], (typeof network.clients)[0]]
    const bytes = someBytes(600_000)
    const guid = network.share(ann, 'Miles Davis - So_What (1959).flac', bytes)
    assert.deepEqual(network.search(ben, 'WHAT miles'), [{ guid, name: 'Miles Davis - So_What (1959).flac', size: 600_000, hosts: 1 }])

    ben.events.length = 0
    const file = network.fetch(ben, guid)
    assert.deepEqual(Buffer.compare(file.bytes, bytes), 0)
    assert.deepEqual(
      file.from.map(({ id }) => id),
      [ann.id],
    )
    assert.deepEqual(network.steps(ben), ['asking', 'peers', 'peers', 'sending', 'piece', 'piece', 'piece', 'verified'])

    network.run(1_000)
    assert.deepEqual(
      network.search(cleo, 'so what').map(({ hosts }) => hosts),
      [2],
    )
    assert.deepEqual(new Set(network.located(cleo, guid)), new Set([ann.id, ben.id]))
  })

  it('names peers in the order of the round trips that the asking client measures', () => {
    const network = new TestNetwork({ servers: 1, clients: 9 })
    const bytes = someBytes(10)
    const guid = [...network.clients.slice(1)].map((client) => network.share(client, 'a song', bytes))[0]!
    const [asker, ...hosts] = network.clients as [(typeof network.clients)[0], ...typeof network.clients]
    const latency = (id: string): number => {
      const host = hosts.find((each) => each.id === id)!.host.index
      return network.simulator.topology.latencyMs(asker.host.index, host)
    }
    const named = network.located(asker, guid)
    assert.equal(named.length, 8)
    const latencies = named.map(latency)
    assert.deepEqual(
      latencies,
      [...latencies].sort((a, b) => a - b),
    )
    assert.deepEqual(network.located(asker, guid, 2), named.slice(0, 2))
  })

  it('goes on with the next peer, where the first one stopped, when that one dies or refuses in the middle', () => {
    const network = new TestNetwork({ servers: 1, clients: 4 })
    const bytes = someBytes(3_000_000)
    const [ann, ben, cleo, dora] = network.clients
    const guid = network.share(ann!, 'a long song', bytes)
    network.share(ben!, 'a long song', bytes)
    network.share(cleo!, 'a long song', bytes)
    let served = 0
    for (const each of [ann!, ben!, cleo!]) {
      each.serve = () => {
        served++
        if (served === 6) network.simulator.at(network.now, () => network.crash(each))
        return served === 12 ? new Error('the disk is on fire') : undefined
      }
    }
    const file = network.fetch(dora!, guid)
    assert.equal(Buffer.compare(file.bytes, bytes), 0)
    assert.equal(file.from.length, 3)
    // 12 pieces; those of the crash and of the fire, and what was on its way behind them, were asked for twice.
    assert(served < 24, `${served} pieces were read`)
  })

  it('finds out who sent something else, and fetches the file from somebody else', () => {
    const network = new TestNetwork({ servers: 1, clients: 4 })
    const bytes = someBytes(1_000_000)
    const [ann, ben, cleo, dora] = network.clients
    const guid = network.share(ann!, 'a song', bytes)
    for (const liar of [ben!, cleo!]) {
      network.share(liar, 'a song', bytes)
      liar.serve = ({ length }) => new Uint8Array(length)
    }
    // Whatever is nearest, a peer that fails in the middle leaves pieces of a liar's among the others.
    let served = 0
    ann!.serve = () => (++served === 3 ? new Error('just now') : undefined)
    assert.equal(Buffer.compare(network.fetch(dora!, guid).bytes, bytes), 0)

    network.crash(ann!)
    const outcome = network.outcome(network.clients[1]!, (client, now, fx) => client.fetch({ guid: idOf('nothing') }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_NOT_FOUND')
  })

  it('ends with an error when all that is sent is something else, and offers nothing', () => {
    const network = new TestNetwork({ servers: 1, clients: 2 })
    const [liar, victim] = network.clients
    const guid = network.share(liar!, 'a song', someBytes(5_000))
    liar!.serve = ({ length }) => new Uint8Array(length)
    const outcome = network.outcome(victim!, (client, now, fx) => client.fetch({ guid, offer: true }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_ROUTE')
    assert.equal(victim!.core.offers(guid), false)
  })

  it('carries files of no bytes, of one piece, and of exactly some pieces', () => {
    const network = new TestNetwork({ servers: 1, clients: 2, client: { pieceBytes: 1_000 } })
    for (const size of [0, 1, 999, 1_000, 1_001, 8_000]) {
      const bytes = someBytes(size, size)
      const guid = network.share(network.clients[0]!, `file ${size}`, bytes)
      assert.equal(Buffer.compare(network.fetch(network.clients[1]!, guid, false).bytes, bytes), 0)
    }
  })

  it('fetches nothing longer than it may hold', () => {
    const network = new TestNetwork({ servers: 1, clients: 2, client: { fileBytesMax: 1_000 } })
    const guid = network.share(network.clients[0]!, 'too long', someBytes(1_001))
    const outcome = network.outcome(network.clients[1]!, (client, now, fx) => client.fetch({ guid }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_NOT_FOUND')
  })
})

describe('a registration', () => {
  it('expires when a client is not heard of for the time of its lease, on all servers', () => {
    const network = new TestNetwork({ servers: 3, clients: 2 })
    const guid = network.share(network.clients[0]!, 'a song', textBytes('la la'))
    network.crash(network.clients[0]!)
    network.run(55_000)
    assert.deepEqual(network.located(network.clients[1]!, guid), [network.clients[0]!.id])
    network.run(10_000)
    for (const { core } of network.servers) assert.deepEqual(core.index.hostsOf(guid, 16, guid), [])
  })

  it('lasts as long as the client refreshes it', () => {
    const network = new TestNetwork({ servers: 2, clients: 2 })
    const guid = network.share(network.clients[0]!, 'a song', textBytes('la la'))
    for (let i = 0; i < 30; i++) {
      network.run(20_000)
      assert.deepEqual(network.located(network.clients[1]!, guid), [network.clients[0]!.id])
    }
  })

  it('ends at once when the client takes leave', () => {
    const network = new TestNetwork({ servers: 2, clients: 2 })
    const guid = network.share(network.clients[0]!, 'a song', textBytes('la la'))
    network.leave(network.clients[0]!)
    for (const { core } of network.servers) assert.deepEqual(core.index.hostsOf(guid, 16, guid), [])
  })

  it('is replaced when the client starts anew, with what it offers then', () => {
    const network = new TestNetwork({ servers: 2, clients: 2 })
    const [ann, ben] = network.clients
    network.share(ann!, 'old song', textBytes('old'))
    network.crash(ann!)
    network.run(1_000)
    network.startClient(ann!)
    network.share(ann!, 'new song', textBytes('new'))
    assert.deepEqual(
      network.search(ben!, 'song').map(({ name }) => name),
      ['new song'],
    )
  })

  it('is refused beyond what a server holds for one client, and by a full server', () => {
    const network = new TestNetwork({
      servers: 1,
      clients: 3,
      server: { listingsPerClient: 2, clientsMax: 2 },
      client: { commandMs: 3_000 },
    })
    network.run(5_000)
    const ann = network.clients.find(({ core }) => core.server !== undefined)!
    const late = network.clients.find(({ core }) => core.server === undefined)!
    network.share(ann, 'one', textBytes('1'))
    network.share(ann, 'two', textBytes('2'))
    const third = network.keep(ann, 'three', textBytes('3'))
    const refused = network.outcome(ann, (client, now, fx) => client.share({ files: [third] }, now, fx))
    assert.equal(refused.ok === false && refused.error.code, 'ERR_ROUTE')
    assert.equal(ann.core.offers(third.guid), false)
    network.run(120_000)
    assert.equal(network.search(late, 'one').length + network.search(late, 'two').length, 2, 'what was there before has gone')

    const outcome = network.outcome(late, (client, now, fx) => client.share({ files: [third] }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_DEADLINE')
    assert(network.servers[0]!.core.stats(network.servers[0]!.id).full > 0)
  })
})

describe('several servers', () => {
  it('know a change when the client is told that it was made', () => {
    const network = new TestNetwork({ servers: 3, clients: 4 })
    network.run(5_000)
    for (const [i, client] of network.clients.entries()) {
      const guid = network.share(client, `song ${i}`, textBytes(`song ${i}`))
      for (const { core } of network.servers)
        assert.deepEqual(
          core.index.hostsOf(guid, 16, guid).map(({ node }) => node.id),
          [client.id],
        )
    }
  })

  it('go on when one dies: its clients register with another, and what they offer is found all the while', () => {
    const network = new TestNetwork({ servers: 3, clients: 6 })
    const guids = network.clients.map((client, i) => network.share(client, `song ${i}`, textBytes(`song ${i}`)))
    for (const victim of network.servers.slice(0, 2)) {
      network.crash(victim)
      for (let i = 0; i < 8; i++) {
        for (const [j, guid] of guids.entries()) {
          const asker = network.clients[(j + 1) % 6]!
          assert.deepEqual(network.located(asker, guid), [network.clients[j]!.id], `at ${network.now}`)
        }
        network.run(10_000)
      }
      for (const client of network.clients) assert.notEqual(client.core.server?.id, victim.id)
    }
  })

  it('one that was away and has lost everything catches up, from the others and from the clients', () => {
    const network = new TestNetwork({ servers: 2, clients: 40, server: { listingsPerClient: 100 } })
    const files = network.clients.map((client, i) =>
      Array.from({ length: 100 }, (_, j) => network.keep(client, `song ${i} ${j}`, textBytes(`song ${i} ${j}`))),
    )
    for (const [i, client] of network.clients.entries())
      network.value(network.outcome(client, (core, now, fx) => core.share({ files: files[i]! }, now, fx)))
    const [first, second] = network.servers
    network.crash(first!)
    network.run(30_000)
    network.startServer(first!)
    network.run(5_000)
    assert.equal(first!.core.stats(first!.id).listings, 4_000)
    assert.equal(first!.core.stats(first!.id).inStep, 1)
    network.crash(second!)
    assert.equal(network.search(network.clients[3]!, 'song 7 42').length, 1)
  })

  it('a replica that lags behind is not waited for, and catches up when it can', () => {
    const network = new TestNetwork({ servers: 2, clients: 3 })
    network.run(5_000)
    const [ann] = network.clients
    const home = network.servers.find(({ id }) => id === ann!.core.server?.id) ?? network.servers[0]!
    const other = network.servers.find((server) => server !== home)!
    network.share(ann!, 'before', textBytes('before'))
    network.cut([other])
    const guid = network.share(ann!, 'meanwhile', textBytes('meanwhile'))
    assert.deepEqual(other.core.index.hostsOf(guid, 16, guid), [])
    network.run(30_000)
    network.heal()
    network.run(5_000)
    assert.equal(other.core.index.hostsOf(guid, 16, guid).length, 1)
    network.assertInvariants()
  })

  it('one that was away for longer than the log reaches back is told everything anew', () => {
    const network = new TestNetwork({ servers: 2, clients: 2, server: { logMax: 10 } })
    network.run(5_000)
    const [ann] = network.clients
    network.share(ann!, 'first', textBytes('first'))
    const home = network.servers.find(({ id }) => id === ann!.core.server!.id)!
    const other = network.servers.find((server) => server !== home)!
    network.cut([other])
    for (let i = 0; i < 30; i++) network.share(ann!, `song ${i}`, textBytes(`song ${i}`))
    const gone = network.outcome(ann!, (client, now, fx) => client.withdraw({ guids: [idOf('first')] }, now, fx))
    assert(gone.ok)
    network.heal()
    network.run(10_000)
    assert.equal(other.core.stats(other.id).listings, 30)
    assert.deepEqual(other.core.index.search(['first'], 10), [])
  })

  it('on both sides of a cut between them find what their own clients offer, and everything when it has healed', () => {
    const network = new TestNetwork({ servers: 2, clients: 6 })
    network.run(5_000)
    const guids = network.clients.map((client, i) => network.share(client, `song ${i}`, textBytes(`song ${i}`)))
    const side = [network.servers[1]!, ...network.clients.slice(3)]
    network.cut(side)
    network.run(120_000)
    for (const [i, client] of network.clients.entries()) {
      const there = network.clients.slice(...(i < 3 ? [0, 3] : [3, 6]))
      assert.equal(network.search(client, 'song').length, there.length)
    }
    network.heal()
    network.run(60_000)
    for (const client of network.clients) {
      assert.equal(network.search(client, 'song').length, 6)
      for (const [i, guid] of guids.entries()) assert.deepEqual(network.located(client, guid, 1, true), [network.clients[i]!.id])
    }
  })

  it('all dead: a search says so, and works again when one is back and the clients have registered', () => {
    const network = new TestNetwork({ servers: 2, clients: 3 })
    network.share(network.clients[0]!, 'a song', textBytes('la'))
    for (const server of network.servers) network.crash(server)
    const outcome = network.outcome(network.clients[1]!, (client, now, fx) => client.search({ text: 'song' }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_ROUTE')
    network.run(60_000)
    network.startServer(network.servers[0]!)
    network.run(30_000)
    assert.equal(network.search(network.clients[1]!, 'song').length, 1)
  })
})

describe('the same seed', () => {
  it('gives the same history', () => {
    const trace = (): string => {
      const network = new TestNetwork({ servers: 2, clients: 5, seed: 7, network: { jitterMs: 20, loss: 0.02 } })
      const guid = network.share(network.clients[0]!, 'a song', someBytes(300_000))
      network.fetch(network.clients[1]!, guid)
      network.crash(network.servers[0]!)
      network.run(60_000)
      return network.simulator.trace.hash
    }
    assert.equal(trace(), trace())
  })
})
