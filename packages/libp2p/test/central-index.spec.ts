import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { dolrConformance } from '@plaxton/conformance'
import { guidOf, guidOfPeer } from '@plaxton/guid'
import { centralIndex, indexServer } from '../src/index.ts'
import { indexOnLoopback } from './support/central-index.ts'
import { Cleanup, cut, localNode, until, within } from './support/swarm.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { ProgressEvent } from '@plaxton/kbr'
import type { SharedFile } from '@plaxton/runtime'
import type { Libp2p } from 'libp2p'
import type { CentralIndexService, IndexServerService } from '../src/index.ts'

type Server = Libp2p<{ index: IndexServerService }>
type Client = Libp2p<{ index: CentralIndexService }>

// Real TCP on loopback, encrypted, as for the other services.

for (const servers of [1, 2]) {
  dolrConformance(`the central index with ${servers === 1 ? 'one server' : '2 servers'} on libp2p`, {
    has: { strangers: true, cuts: false },
    application: 'central-index',
    open: indexOnLoopback(servers),
    sizes: [1, 2, 5],
  })
}

describe('the central index service', function () {
  this.timeout(30_000)
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  async function server(others: readonly Server[] = [], machine: { privateKey?: PrivateKey; port?: number } = {}): Promise<Server> {
    const services = { index: indexServer({ servers: others.flatMap((other) => other.getMultiaddrs()) }, { heartbeatMs: 100 }) }
    return cleanup.add(await localNode({ services, ...machine }))
  }

  /** Servers that know each other: each has an address that the others are told of before it starts. */
  async function servers(count: number): Promise<{ nodes: Server[]; restart: (i: number) => Promise<Server> }> {
    const machines = await Promise.all(
      Array.from({ length: count }, async () => ({ privateKey: await generateKeyPair('Ed25519'), port: 0 })),
    )
    const addresses: string[] = []
    for (const machine of machines) {
      // A port that is free, for it is to be the same after a restart.
      const probe = await localNode({ services: {}, privateKey: machine.privateKey })
      addresses.push(String(probe.getMultiaddrs()[0]))
      machine.port = Number(/\/tcp\/(\d+)\//.exec(addresses.at(-1)!)![1])
      await probe.stop()
    }
    const start = async (i: number): Promise<Server> =>
      cleanup.add(await localNode({ services: { index: indexServer({ servers: addresses }, { heartbeatMs: 100 }) }, ...machines[i]! }))
    return { nodes: await Promise.all(machines.map((_, i) => start(i))), restart: start }
  }

  async function client(of: readonly Server[]): Promise<Client> {
    const services = { index: centralIndex({ servers: of.flatMap((each) => each.getMultiaddrs()) }, { refreshMs: 300 }) }
    return cleanup.add(await localNode({ services }))
  }

  /** As if its machine lost power: no goodbye, the sockets gone. */
  async function crash(victim: Libp2p<{ index: CentralIndexService | IndexServerService }>): Promise<void> {
    await victim.services.index.nodeHost.stop()
    for (const connection of victim.getConnections()) connection.abort(new Error('pulled'))
    await victim.stop()
  }

  function file(name: string, bytes: Uint8Array, read?: SharedFile['read']): SharedFile {
    return { guid: guidOf(bytes), name, size: bytes.length, read: read ?? ((offset, length) => bytes.subarray(offset, offset + length)) }
  }

  it('finds a file by words in its name, fetches it verified, and offers it from then on', async () => {
    const index = await server()
    const [ann, ben, cleo] = (await Promise.all([client([index]), client([index]), client([index])])) as [Client, Client, Client]
    const bytes = new Uint8Array(randomBytes(700_000))
    await ann.services.index.share([file('Kind of Blue - So What.flac', bytes), file('readme.txt', new Uint8Array(10))])

    const found = await ben.services.index.search('blue SO what')
    assert.deepEqual(found, [{ guid: guidOf(bytes), name: 'Kind of Blue - So What.flac', size: 700_000, hosts: 1 }])
    assert.deepEqual(await ben.services.index.search('blue moon'), [])
    const steps: ProgressEvent[] = []
    const fetched = await ben.services.index.fetch(found[0]!.guid, { onProgress: (step) => steps.push(step) })
    assert(Buffer.compare(fetched.bytes, bytes) === 0)
    assert.deepEqual(
      fetched.from.map(({ id }) => id),
      [guidOfPeer(ann.peerId)],
    )
    assert.deepEqual(
      // On a busy machine the peer may answer too late at first.
      [...new Set(steps.map(({ type }) => type))].filter((type) => type !== 'central-index:retrying'),
      ['asking', 'peers', 'sending', 'piece', 'verified'].map((step) => `central-index:${step}`),
    )

    await until(() => index.services.index.stats().listings === 3, 'the index knows that it is offered twice')
    await crash(ann)
    const again = await cleo.services.index.fetch(guidOf(bytes))
    assert.deepEqual(
      again.from.map(({ id }) => id),
      [guidOfPeer(ben.peerId)],
    )
  })

  it('goes on with another peer when one dies in the middle of a file', async () => {
    const index = await server()
    const [ann, ben, cleo] = (await Promise.all([client([index]), client([index]), client([index])])) as [Client, Client, Client]
    const bytes = new Uint8Array(randomBytes(6_000_000))
    let served = 0
    // Whoever is asked first dies with its eighth piece. Four are asked for at once, so some have come by then.
    const dying = (of: Client) => (offset: number, length: number) => {
      if (++served === 8) void crash(of)
      return bytes.subarray(offset, offset + length)
    }
    await ann.services.index.share([file('a long song', bytes, dying(ann))])
    await ben.services.index.share([file('a long song', bytes, dying(ben))])
    const steps: string[] = []
    const fetched = await within(
      cleo.services.index.fetch(guidOf(bytes), { onProgress: ({ detail }) => steps.push(detail) }),
      'the file',
      25_000,
    )
    assert(Buffer.compare(fetched.bytes, bytes) === 0)
    assert(
      steps.some((detail) => /^going on at byte [1-9]\d+ with/.test(detail)),
      `nothing was kept of what the first had sent:\n${steps.join('\n')}`,
    )
    assert.equal(fetched.from.length, 2)
  })

  it('answers while one server of two is down, and the one that comes back catches up', async () => {
    const { nodes, restart } = await servers(2)
    const [first] = nodes as [Server, Server]
    await until(() => nodes.every((node) => node.services.index.stats().inStep === 1), 'the servers are in step')
    const [ann, ben] = (await Promise.all([client(nodes), client(nodes)])) as [Client, Client]
    await ann.services.index.share([file('before', new Uint8Array([1]))])
    for (const each of nodes) assert.equal(each.services.index.stats().listings, 1, 'acknowledged before all in step know')

    const home = ann.services.index.server!.id === guidOfPeer(first.peerId) ? 0 : 1
    await crash(nodes[home]!)
    assert.equal((await ben.services.index.search('before')).length, 1)
    await within(ann.services.index.share([file('meanwhile', new Uint8Array([2]))]), 'sharing with the other server', 10_000)
    const left = nodes[1 - home]!
    assert.equal(ann.services.index.server?.id, guidOfPeer(left.peerId))

    const back = await restart(home)
    await until(() => back.services.index.stats().listings === 2, 'the server that was down has caught up', 10_000)
    await crash(left)
    assert.equal(await within(searchUntilAnswered(ben, 'meanwhile'), 'an answer', 15_000), 1)
  })

  it('says that no server answers when all are dead, and goes on when one is back', async () => {
    const { nodes, restart } = await servers(1)
    const [ann, ben] = (await Promise.all([client(nodes), client(nodes)])) as [Client, Client]
    const bytes = new Uint8Array([1, 2, 3])
    await ann.services.index.share([file('a song', bytes)])
    await crash(nodes[0]!)
    await assert.rejects(within(ben.services.index.search('song'), 'an answer', 10_000), { code: 'ERR_ROUTE' })
    await assert.rejects(within(ben.services.index.fetch(guidOf(bytes)), 'an answer', 10_000), { code: 'ERR_ROUTE' })

    await restart(0)
    await until(() => ann.services.index.server !== undefined, 'registered again', 10_000)
    assert.equal(await within(searchUntilAnswered(ben, 'song'), 'an answer', 15_000), 1)
    assert(Buffer.compare((await ben.services.index.fetch(guidOf(bytes))).bytes, bytes) === 0)
  })

  it('goes on after connections were cut', async () => {
    const index = await server()
    const [ann, ben] = (await Promise.all([client([index]), client([index])])) as [Client, Client]
    const bytes = new Uint8Array(randomBytes(3_000_000))
    await ann.services.index.share([file('a song', bytes)])
    cut(ben, index.peerId)
    assert.equal((await ben.services.index.search('song')).length, 1)
    const fetching = ben.services.index.fetch(guidOf(bytes), { onProgress: once(() => cut(ben, ann.peerId), 'central-index:piece') })
    assert(Buffer.compare((await within(fetching, 'the file', 20_000)).bytes, bytes) === 0)
  })

  it('tells with typed events where its list is kept, and rejects its calls when it is stopped', async () => {
    const index = await server()
    const services = { index: centralIndex({ servers: index.getMultiaddrs() }) }
    const node = cleanup.add(await localNode({ services, start: false }))
    const homes: string[] = []
    node.services.index.addEventListener('central-index:home', ({ detail }) => homes.push(detail.server.id))
    await assert.rejects(node.services.index.search('song'), { code: 'ERR_NOT_READY' })
    await node.start()
    await until(() => homes.length === 1, 'registered')
    assert.deepEqual(homes, [guidOfPeer(index.peerId)])
    await node.services.index.share([file('a song', new Uint8Array(1))])
    assert.equal(index.services.index.stats().listings, 1)
    await node.stop()
    await until(() => index.services.index.stats().clients === 0, 'the server has been told')
    await assert.rejects(async () => node.services.index.sendToObj(new Uint8Array(), guidOf(new Uint8Array())), { code: 'ERR_NOT_READY' })
    await node.start()
    await node.services.index.share([file('another song', new Uint8Array(2))])
    assert.equal((await node.services.index.search('song')).length, 1)
  })

  it('refuses a server whose address has no PeerId, and a client without any server', () => {
    for (const servers of [['/ip4/127.0.0.1/tcp/4001'], '/ip4/127.0.0.1/tcp/4001', [], undefined])
      assert.throws(() => centralIndex({ servers: servers as string[] })({} as never), { name: 'InvalidValueError', field: 'servers' })
    assert.throws(() => centralIndex(undefined as never), { name: 'InvalidValueError', field: 'servers' })
  })
})

/** A link waits for some seconds before it dials a dead peer again. Returns how many files were found. */
async function searchUntilAnswered(node: Client, text: string): Promise<number> {
  for (;;) {
    const found = await node.services.index.search(text).catch(() => [])
    if (found.length > 0) return found.length
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function once(run: () => void, type: string): (step: ProgressEvent) => void {
  let done = false
  return (step) => {
    if (done || step.type !== type) return
    done = true
    run()
  }
}
