import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf } from '@plaxton/guid'
import type { AppEffects } from '@plaxton/kbr'
import { encodeCall } from '../src/messages.ts'
import type { IndexCall, Listing } from '../src/messages.ts'
import { TestNetwork, idOf, textBytes } from './network.ts'
import type { TestNode } from './network.ts'
import type { IndexClient } from '../src/index.ts'

/** `node` sends what it likes to `to`, under its own name. */
function tell(
  network: TestNetwork,
  node: TestNode<IndexClient>,
  to: { readonly host: { readonly id: string; readonly index: number } },
  payload: Uint8Array,
): void {
  const ref = { id: to.host.id as never, address: `sim:${to.host.index}`, epoch: 0 }
  network.command(node, (_client, _now, fx: AppEffects) => fx.request(ref, payload, { withinMs: 1_000 }))
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
  fc.record({ type: fc.constant('find' as const), guid: anyGuid, max: fc.nat() }),
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
})
