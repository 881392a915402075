import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects } from '@plaxton/kbr'
import { encodeCall } from '../src/messages.ts'
import type { IndexCall, Listing, Update } from '../src/messages.ts'
import { TestNetwork, idOf, someBytes, textBytes } from './network.ts'
import type { TestNode } from './network.ts'
import type { IndexClient, IndexServer } from '../src/index.ts'

/** `node` sends what it likes to `to`, under its own name. */
function tell(
  network: TestNetwork,
  node: TestNode<IndexClient | IndexServer>,
  to: { readonly host: { readonly id: string; readonly index: number } },
  payload: Uint8Array,
): void {
  const ref = { id: to.host.id as never, address: `sim:${to.host.index}`, epoch: 0 }
  network.command(node as TestNode<IndexClient>, (_client, _now, fx: AppEffects) => fx.request(ref, payload, { withinMs: 1_000 }))
}

const anyGuid = fc.integer({ min: 0, max: 5 }).map((i) => idOf(`object ${i}`))
const anyListing: fc.Arbitrary<Listing> = fc.record({
  guid: anyGuid,
  name: fc.string({ maxLength: 40, unit: 'grapheme' }).filter((name) => Buffer.from(name).length <= 255),
  size: fc.nat(),
  answers: fc.boolean(),
})
const version = fc.oneof(fc.nat({ max: 10 }), fc.constant(Number.MAX_SAFE_INTEGER))
const anyCall: fc.Arbitrary<IndexCall> = fc.oneof(
  fc.record({
    type: fc.constant('register' as const),
    from: version,
    to: version,
    reset: fc.boolean(),
    listed: fc.array(anyListing, { maxLength: 6 }),
    withdrawn: fc.array(anyGuid, { maxLength: 6 }),
    distances: fc.array(fc.record({ server: anyGuid, ms: fc.nat() }), { maxLength: 8 }),
  }),
  fc.record({ type: fc.constant('farewell' as const) }),
  fc.record({ type: fc.constant('search' as const), words: fc.array(fc.string({ maxLength: 10 }), { maxLength: 8 }), max: fc.nat() }),
  fc.record({ type: fc.constant('find' as const), guid: anyGuid, max: fc.nat(), excluded: fc.array(anyGuid, { maxLength: 6 }) }),
  fc.record({
    type: fc.constant('feed' as const),
    incarnation: version,
    begin: version,
    end: version,
    part: fc.constantFrom('log' as const, 'first' as const, 'middle' as const, 'last' as const, 'whole' as const),
    updates: fc.constant([]),
  }),
  fc.record({ type: fc.constant('check' as const), guid: anyGuid, id: version }),
  fc.record({ type: fc.constant('deliver' as const), guid: anyGuid, id: version, payload: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ type: fc.constant('piece' as const), guid: anyGuid, offset: version, length: fc.nat() }),
)

describe('whatever strangers send', () => {
  it('servers and clients go on, keep their bounds, and their indexes stay consistent', () => {
    const payload = fc.oneof(anyCall.map(encodeCall), fc.uint8Array({ maxLength: 60 }))
    fc.assert(
      fc.property(fc.array(fc.record({ payload, toServer: fc.boolean(), wait: fc.nat({ max: 3_000 }) }), { maxLength: 30 }), (messages) => {
        const network = new TestNetwork({ servers: 2, clients: 3, server: { listingsMax: 6, listingsPerClient: 4 } })
        const [stranger, host, other] = network.clients
        network.run(3_000)
        const guid = network.share(host!, 'a song', textBytes('la la'))
        for (const { payload: bytes, toServer, wait } of messages) {
          tell(network, stranger!, toServer ? network.servers[0]! : host!, bytes)
          network.run(wait)
          network.assertInvariants()
        }
        for (const server of network.servers) assert(server.core.stats(server.id).listings <= 6)
        assert.deepEqual(network.located(other!, guid, 1, true), [host!.id])
        network.run(30_000)
        assert.deepEqual(network.located(other!, guid, 1, true), [host!.id])
      }),
      { numRuns: 25 },
    )
  })

  it('nobody registers in the name of another, and nobody but a server feeds a server', () => {
    const network = new TestNetwork({ servers: 2, clients: 2 })
    network.run(3_000)
    const [liar, victim] = network.clients
    const guid = network.share(victim!, 'a song', textBytes('la la'))
    const victimRef = { id: victim!.id, address: `sim:${victim!.host.index}`, epoch: 1 }
    const gone = {
      node: victimRef,
      home: network.servers[0]!.id,
      from: 0,
      to: 2 ** 50,
      reset: false,
      gone: true,
      listed: [],
      withdrawn: [],
      distances: [],
    }
    for (const server of network.servers) {
      tell(network, liar!, server, encodeCall({ type: 'feed', incarnation: 1, begin: 0, end: 1, part: 'whole', updates: [gone] }))
      tell(network, liar!, server, encodeCall({ type: 'farewell' }))
    }
    network.run(5_000)
    for (const server of network.servers) {
      assert.equal(server.core.index.hostsOf(guid, 1, guid).length, 1)
      assert.equal(server.core.stats(server.id).garbage, 1)
    }
  })

  it('a peer that says anything about a file costs a fetch time, and nothing else', () => {
    const network = new TestNetwork({ servers: 1, clients: 3, client: { fileBytesMax: 10_000 } })
    const [liar, host, victim] = network.clients
    const bytes = textBytes('la la la')
    const guid = network.share(host!, 'a song', bytes)
    // It says that the file is far longer than it is, and longer than may be held.
    for (const size of [9_999, 2 ** 40]) {
      network.value(network.outcome(liar!, (client, now, fx) => client.share({ files: [{ guid, name: 'a song', size }] }, now, fx)))
      liar!.serve = ({ length }) => new Uint8Array(length)
      assert.deepEqual(network.fetch(victim!, guid, false).bytes, bytes)
    }
    // Short pieces, long pieces, none.
    for (const wrong of [0, 1, 200_000]) {
      liar!.serve = () => new Uint8Array(wrong)
      network.value(network.outcome(liar!, (client, now, fx) => client.share({ files: [{ guid, name: 'a song', size: 8 }] }, now, fx)))
      assert.deepEqual(network.fetch(victim!, guid, false).bytes, bytes)
    }
  })

  it('a peer that sends the beginning of a file of another size, and then nothing, keeps nobody from the true one', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const network = new TestNetwork({ servers: 1, clients: 3, seed, client: { pieceBytes: 4 } })
      const [liar, host, victim] = network.clients
      const bytes = textBytes('la la la')
      const guid = network.share(host!, 'a song', bytes)
      network.value(network.outcome(liar!, (client, now, fx) => client.share({ files: [{ guid, name: 'a song', size: 100 }] }, now, fx)))
      liar!.serve = ({ offset, length }) => (offset < 8 ? new Uint8Array(length) : new Error('no more'))
      assert.deepEqual(network.fetch(victim!, guid, false).bytes, bytes)
    }
  })

  it('a name with words nobody can type is found by those it shares with others', () => {
    const network = new TestNetwork({ servers: 1, clients: 2 })
    network.share(network.clients[0]!, `${'x'.repeat(100)} \u0000\u001b[2J blue`, textBytes('x'))
    assert.equal(network.search(network.clients[1]!, 'blue').length, 1)
    for (const name of ['half of a pair \ud800', 'x'.repeat(256)]) {
      const file = { guid: guidOf(textBytes('y')), name, size: 1 }
      assert.throws(() => network.command(network.clients[0]!, (client, now, fx) => client.share({ files: [file] }, now, fx)), {
        name: 'InvalidValueError',
        field: 'name',
      })
    }
  })

  it('a client that asks without end is refused beyond its allowance, and everybody else is answered', () => {
    const network = new TestNetwork({ servers: 1, clients: 3, server: { allowanceMax: 50, allowancePerSecond: 10 } })
    const [flooder, host, other] = network.clients
    const [server] = network.servers
    const guid = network.share(host!, 'a song', textBytes('la la'))
    const ask = encodeCall({ type: 'find', guid, max: 1, excluded: [] })
    const before = server!.core.stats(server!.id)
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 100; i++) tell(network, flooder!, server!, ask)
      network.run(1_000)
    }
    const after = server!.core.stats(server!.id)
    const answered = after.finds - before.finds
    // 50 at once and 10 a second; the walking sends what is refused once.
    assert(answered >= 90 && answered <= 160, `${answered} answered`)
    assert(after.throttled >= 800, `${after.throttled} refused`)
    assert.deepEqual(network.located(other!, guid), [host!.id])
    network.run(10_000)
    assert.deepEqual(network.located(flooder!, guid), [host!.id])
  })

  it('a client that searches without end is refused sooner', () => {
    const network = new TestNetwork({ servers: 1, clients: 1, server: { allowanceMax: 50, allowancePerSecond: 10 } })
    const [server] = network.servers
    network.run(3_000)
    const search = encodeCall({ type: 'search', words: ['blue'], max: 100 })
    for (let i = 0; i < 100; i++) tell(network, network.clients[0]!, server!, search)
    network.run(100)
    const { searches, throttled } = server!.core.stats(server!.id)
    assert(searches >= 4 && searches <= 6, `${searches} of 100 answered`)
    assert.equal(searches + throttled, 100)
  })

  it('a client that tells a whole list again and again is refused sooner', () => {
    const network = new TestNetwork({ servers: 2, clients: 2, server: { allowanceMax: 50, allowancePerSecond: 10 } })
    const [flooder] = network.clients
    const [server] = network.servers
    network.run(3_000)
    const listed = Array.from({ length: 100 }, (_, i) => ({ guid: idOf(`lie ${i}`), name: `lie ${i}`, size: 1, answers: false }))
    const before = server!.core.stats(server!.id).throttled
    for (let i = 1; i <= 50; i++) {
      const to = network.now + i
      tell(network, flooder!, server!, encodeCall({ type: 'register', from: 0, to, reset: true, listed, withdrawn: [], distances: [] }))
    }
    network.run(1_000)
    const refused = server!.core.stats(server!.id).throttled - before
    assert(refused >= 44, `a list of 100 weighs 11, so 4 or 5 of 50 are taken: ${refused} refused`)
  })

  it('those who say that they have a file and send another keep nobody from the one who has it', () => {
    const network = new TestNetwork({ servers: 1, clients: 40 })
    const [victim, host, ...liars] = network.clients
    const bytes = textBytes('la la la')
    const guid = network.keep(host!, 'a song', bytes).guid
    for (const liar of liars) {
      network.share(liar, 'a song', bytes)
      liar.serve = ({ length }) => new Uint8Array(length)
    }
    network.share(host!, 'a song', bytes)
    assert.deepEqual(
      network.fetch(victim!, guid, false).from.map(({ id }) => id),
      [host!.id],
    )
  })

  it('a fetch tries 64 peers and no more', () => {
    const network = new TestNetwork({ servers: 1, clients: 81 })
    const [victim, ...liars] = network.clients
    const bytes = textBytes('la la la')
    let asked = 0
    let guid = idOf('nothing')
    for (const liar of liars) {
      guid = network.share(liar, 'a song', bytes)
      liar.serve = ({ length }) => {
        asked++
        return new Uint8Array(length)
      }
    }
    const outcome = network.outcome(victim!, (client, now, fx) => client.fetch({ guid }, now, fx))
    assert.equal(outcome.ok === false && outcome.error.code, 'ERR_ROUTE')
    assert.equal(asked, 64)
  })

  it('a peer that accepts and then stalls is left after the time for one piece, and what it sent is not asked for again', () => {
    const network = new TestNetwork({ servers: 1, clients: 3, client: { pieceBytes: 100, pieceMs: 2_000 } })
    const [victim, ...hosts] = network.clients
    const bytes = someBytes(1_000)
    let guid = idOf('nothing')
    const offsets: number[] = []
    for (const host of hosts) {
      guid = network.share(host, 'a song', bytes)
      let pieces = 0
      // The first to be asked goes silent after three pieces; the other never has that wish.
      host.serve = ({ offset }) => {
        offsets.push(offset)
        if (offsets.length > 3 && offsets.length < 8 && ++pieces < 5) return 'silence'
        return undefined
      }
    }
    const startedAt = network.now
    const file = network.fetch(victim!, guid, false)
    assert.equal(Buffer.compare(file.bytes, bytes), 0)
    assert.equal(file.from.length, 2)
    assert(network.now - startedAt < 6_000, `${network.now - startedAt} ms`)
    assert.deepEqual(
      [0, 100, 200].map((offset) => offsets.filter((each) => each === offset).length),
      [1, 1, 1],
    )
  })

  it('one sender cannot take all the room that messages have with a host', () => {
    const network = new TestNetwork({ servers: 1, clients: 3, client: { deliveriesPerPeer: 4 } })
    const [flooder, host, other] = network.clients
    const guid = idOf('an object')
    network.value(network.outcome(host!, (client, now, fx) => client.publish({ guid, answers: true }, now, fx)))
    host!.answersMessages = false
    const deliver = (id: number) => encodeCall({ type: 'deliver', guid, id, payload: textBytes('hello') })
    for (let i = 1; i <= 20; i++) tell(network, flooder!, host!, deliver(i))
    // And one that comes again and again while it is handled.
    for (let i = 0; i < 20; i++) tell(network, flooder!, host!, deliver(1))
    network.run(500)
    assert.equal(host!.core.stats().serving, 4)
    assert.equal(host!.core.stats().overloads, 16 + 20 - 7)
    host!.answersMessages = true
    const outcome = network.outcome(other!, (client, now, fx) => client.send({ guid, message: textBytes('and I?') }, now, fx))
    assert.equal(network.value(outcome), 1)
  })
})

describe('a server that lies', () => {
  /** Two honest servers and one that says what the test has it say. */
  function network(clients: number): { net: TestNetwork; liar: TestNode<IndexServer>; honest: Array<TestNode<IndexServer>> } {
    const net = new TestNetwork({ servers: 3, clients })
    net.run(3_000)
    return { net, liar: net.servers[2]!, honest: net.servers.slice(0, 2) }
  }

  /** The liar feeds its lies to the others. */
  function feed(
    net: TestNetwork,
    liar: TestNode<IndexServer>,
    honest: ReadonlyArray<TestNode<IndexServer>>,
    updates: readonly Update[],
  ): void {
    const call = encodeCall({ type: 'feed', incarnation: 1, begin: 0, end: 1, part: 'whole', updates })
    for (const server of honest) tell(net, liar, server, call)
    net.run(1_000)
  }

  function lie(net: TestNetwork, victim: TestNode<IndexClient>, home: Guid, change: Partial<Update>): Update {
    const node = { id: victim.id, address: `sim:${victim.host.index}`, epoch: 1 }
    return { node, home, from: 0, to: net.now + 1_000, reset: true, gone: false, listed: [], withdrawn: [], distances: [], ...change }
  }

  it('cannot take clients of the others off the index, nor speak for them', () => {
    const { net, liar, honest } = network(12)
    const guids = net.clients.map((client, i) => net.share(client, `song ${i}`, textBytes(`song ${i}`)))
    const victims = net.clients.filter(({ core }) => core.server!.id !== liar.id)
    assert(victims.length > 0)
    const lies = victims.flatMap((victim) => [
      lie(net, victim, victim.core.server!.id, {}),
      lie(net, victim, victim.core.server!.id, { gone: true }),
      lie(net, victim, liar.id, { gone: true }),
    ])
    feed(net, liar, honest, lies)
    for (const server of honest) {
      for (const [i, guid] of guids.entries())
        if (victims.includes(net.clients[i]!)) assert.equal(server.core.index.hostsOf(guid, 1, guid).length, 1)
      assert.equal(server.core.stats(server.id).foreign, 2 * victims.length)
    }
  })

  it('that says clients have come over to it, in versions of another century, is put right by the clients', () => {
    const { net, liar, honest } = network(12)
    // It can hide its own clients from the others whenever it likes.
    const victims = net.clients.filter(({ core }) => core.server!.id !== liar.id)
    const guids = victims.map((client, i) => net.share(client, `song ${i}`, textBytes(`song ${i}`)))
    const far = victims.map((victim) => lie(net, victim, liar.id, { to: Number.MAX_SAFE_INTEGER }))
    feed(net, liar, honest, far)
    for (const server of honest) assert.equal(server.core.stats(server.id).foreign, victims.length)
    feed(
      net,
      liar,
      honest,
      victims.map((victim) => lie(net, victim, liar.id, { to: net.now + 3_600_000 })),
    )
    const listed = () => honest.map((server) => guids.filter((guid) => server.core.index.hostsOf(guid, 1, guid).length === 1).length)
    assert(
      listed().every((count) => count < guids.length),
      'nobody believed the lie',
    )
    net.run(25_000)
    assert.deepEqual(listed(), [guids.length, guids.length])
  })

  it('and names others than those who have the file, is asked last by a command that has found that out', () => {
    const { net, liar } = network(50)
    const bytes = textBytes('la la la')
    const host = net.clients.find(({ core }) => core.server!.id !== liar.id)!
    const victim = net.clients.find(({ core }) => core.server!.id === liar.id)!
    const guid = net.share(host, 'a song', bytes)
    // Sixteen others each time it is asked.
    const others = net.clients.filter((client) => client !== host && client !== victim)
    let asked = 0
    liar.core.index.hostsOf = () => {
      asked++
      return Array.from({ length: 16 }, (_, i) => {
        const { id, host: at } = others[(16 * asked + i) % others.length]!
        return { node: { id, address: `sim:${at.index}`, epoch: 1 }, name: 'a song', size: bytes.length, answers: true }
      })
    }
    assert.deepEqual(net.fetch(victim, guid, false).bytes, bytes)
    assert.deepEqual(net.located(victim, guid, 1, true), [host.id])
    assert.equal(asked, 2)
  })
})
