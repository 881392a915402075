import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { TestNetwork, textBytes } from './network.ts'
import type { TestNode } from './network.ts'
import type { IndexClient, IndexServer } from '../src/index.ts'

const minutes = 60_000

/** What may happen; afterwards everybody runs again. */
function disturb(network: TestNetwork, prng: Prng): void {
  const client = prng.pick(network.clients)!
  const server = prng.pick(network.servers)!
  const all = [...network.servers, ...network.clients]
  const events = [
    () => void (client.process === undefined || change(network, client, prng)),
    () => void (client.process === undefined || change(network, client, prng)),
    () => void (client.process === undefined || search(network, client)),
    () => (client.process === undefined ? network.startClient(client) : network.crash(client)),
    () => (server.process === undefined ? network.startServer(server) : network.crash(server)),
    () => network.cut(all.filter(() => prng.chance(0.3))),
    () => network.heal(),
  ]
  prng.pick(events)!()
}

function change(network: TestNetwork, client: TestNode<IndexClient>, prng: Prng): void {
  const offered = client.core.offered()
  if (offered.length > 0 && prng.chance(0.4)) {
    const { guid } = prng.pick(offered)!
    network.command(client, (core, now, fx) => core.withdraw({ guids: [guid] }, now, fx))
  } else {
    const words = `song ${prng.nextInt(20)} of ${client.host.index}`
    const file = network.keep(client, words, textBytes(words))
    network.command(client, (core, now, fx) => core.share({ files: [file] }, now, fx))
  }
}

function search(network: TestNetwork, client: TestNode<IndexClient>): void {
  network.command(client, (core, now, fx) => core.search({ text: 'song' }, now, fx))
}

function repair(network: TestNetwork): void {
  network.simulator.network.repair()
  for (const server of network.servers) if (server.process === undefined) network.startServer(server)
  for (const client of network.clients) if (client.process === undefined) network.startClient(client)
}

function offeredBy(server: TestNode<IndexServer>, client: TestNode<IndexClient>): Guid[] {
  return [...(server.core.index.client(client.id)?.listings.keys() ?? [])].sort()
}

/** Every server has the list of every client as that has it, and nothing else. */
function assertExact(network: TestNetwork): void {
  network.assertInvariants()
  for (const server of network.servers) {
    const { clients, listings } = server.core.stats(server.id)
    assert.equal(clients, network.clients.length, 'clients that are not there are in the index, or some are missing')
    for (const client of network.clients) {
      const own = client.core
        .offered()
        .map(({ guid }) => guid)
        .sort()
      assert.deepEqual(offeredBy(server, client), own, `server ${server.host.index} about client ${client.host.index}`)
    }
    assert.equal(
      listings,
      network.clients.reduce((sum, { core }) => sum + core.offered().length, 0),
    )
  }
}

describe('servers and clients that crash, come back, are cut off and lose messages', () => {
  for (let seed = 1; seed <= 12; seed++) {
    it(`agree on who offers what a while after it is over, seed ${seed}`, () => {
      const prng = Prng.fromSeed(`mix ${seed}`)
      const noticeMs = prng.chance(0.5) ? 100 : undefined
      const network = new TestNetwork({
        servers: 1 + prng.nextInt(3),
        clients: 10,
        seed,
        network: { noticeMs, loss: prng.chance(0.5) ? 0.03 : 0, jitterMs: prng.chance(0.5) ? 200 : 0 },
        // A log that is outrun, so that snapshots are needed as well.
        server: { logMax: prng.chance(0.5) ? 5 : 1_000 },
      })
      const ended = new Map<string, number>()
      network.simulator.onEvent((process, event) => {
        if (event.type !== 'central-index:done' || !('command' in event)) return
        const name = `${process.index} ${String(event.command)}`
        ended.set(name, (ended.get(name) ?? 0) + 1)
      })
      for (let i = 0; i < 150; i++) {
        disturb(network, prng)
        network.run(prng.nextInt(6_000))
      }
      repair(network)
      network.run(3 * minutes)
      assertExact(network)
      assert(
        [...ended.values()].every((times) => times === 1),
        'a command ended twice',
      )
      for (const client of network.clients) assert.equal(client.core.stats().commands, 0, 'a command has not ended')
    })
  }
})
