import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOf, guidOfPeer } from '@plaxton/guid'
import { MemoryDatastore } from 'datastore-core'
import { overlay } from '../src/index.ts'
import { overlays } from './support/overlays.ts'
import { Cleanup, cut, localNode, until, within } from './support/swarm.ts'
import type { Guid } from '@plaxton/guid'
import type { Libp2p } from 'libp2p'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { OverlayInit, OverlayService } from '../src/index.ts'
import type { LocalNodeInit } from './support/swarm.ts'

type Node = Libp2p<{ overlay: OverlayService }>

for (const [name, { factory, ownership }] of Object.entries(overlays))
  describe(`the overlay service with ${name}`, () => {
    const cleanup = new Cleanup()
    afterEach(() => cleanup.run())

    async function node(init: OverlayInit = {}, local: Partial<LocalNodeInit<Record<string, unknown>>> = {}): Promise<Node> {
      const created = await localNode({ ...local, services: { overlay: overlay(factory(), init) } as never })
      return cleanup.add(created as unknown as Node)
    }

    const addressOf = (of: Node): Multiaddr[] => of.getMultiaddrs()
    const ready = (of: Node): Promise<void> => within(of.services.overlay.whenReady(), 'the node is ready')
    const neighbors = (of: Node): string[] =>
      of.services.overlay.kbr
        .neighborSet(64)
        .map(({ id }) => id)
        .toSorted()
    const idOf = (of: Node): string => guidOfPeer(of.peerId)

    /** All of these, those first that come first for the key. */
    function ranks(nodes: readonly Node[], key: Guid): Guid[] {
      ownership.look?.(nodes.map((each) => each.services.overlay.host.node.overlay))
      return ownership.ranks(
        key,
        nodes.map((each) => each.services.overlay.self.id),
        nodes.length,
      )
    }

    /** Every node counts all others, and nobody else, as its neighbours. */
    async function oneRing(nodes: readonly Node[]): Promise<void> {
      const ids = nodes.map(idOf).toSorted()
      await until(
        () =>
          nodes.every(
            (each) => each.services.overlay.ready && JSON.stringify([...neighbors(each), idOf(each)].toSorted()) === JSON.stringify(ids),
          ),
        `${nodes.length} nodes form one ring`,
        10_000,
      )
    }

    it('makes a node that knows nobody a member by itself, at once', async () => {
      const start = performance.now()
      const alone = await node()
      await ready(alone)
      assert.ok(performance.now() - start < 2_000)
      assert.deepEqual(neighbors(alone), [])
      assert.equal(alone.services.overlay.self.id, idOf(alone))
    })

    it('does not delay the start of libp2p by joining', async () => {
      const created = await node({ bootstrap: ['/ip4/127.0.0.1/tcp/1'] })
      assert.equal(created.status, 'started')
      assert.equal(created.services.overlay.ready, false)
    })

    for (const transport of ['tcp', 'ws'] as const) {
      it(`joins through a bootstrap address over ${transport}`, async () => {
        const a = await node({}, { transport })
        await ready(a)
        const b = await node({ bootstrap: addressOf(a) }, { transport })
        const c = await node({ bootstrap: addressOf(a).map(String) }, { transport })
        await Promise.all([b, c].map(ready))
        await oneRing([a, b, c])
      })
    }

    it('joins through an address without a PeerId', async () => {
      const a = await node()
      const b = await node({ bootstrap: [String(addressOf(a)[0]).split('/p2p/')[0] as string] })
      await oneRing([a, b])
    })

    it('joins through a bootstrap node that starts later', async () => {
      const port = await freePort()
      const b = await node({ bootstrap: [`/ip4/127.0.0.1/tcp/${port}`] })
      assert.equal(b.services.overlay.ready, false)
      const a = await node({}, { port })
      await oneRing([a, b])
    })

    it('lets nodes that list one another, themselves included, start at the same time', async () => {
      const ports = [await freePort(), await freePort(), await freePort(), await freePort()]
      const bootstrap = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`)
      const nodes = await Promise.all(ports.map((port) => node({ bootstrap }, { port })))
      await oneRing(nodes)
    })

    it('joins through any peer that turns up and speaks the protocol', async () => {
      const [a, b] = await Promise.all([node(), node()])
      await b.dial(addressOf(a))
      await oneRing([a, b])
    })

    it('makes one ring of two nodes that were alone and meet later', async () => {
      const [a, b] = [await node(), await node()]
      await Promise.all([a, b].map(ready))
      assert.deepEqual([neighbors(a), neighbors(b)], [[], []])
      await b.dial(addressOf(a))
      await oneRing([a, b])
    })

    it('waits for a member that has lost its place to two rings becoming one, until it has another', async () => {
      const [a, b] = [await node(), await node()]
      await Promise.all([a, b].map(ready))
      await b.dial(addressOf(a))
      const end = performance.now() + 1_500
      while (performance.now() < end && a.services.overlay.ready && b.services.overlay.ready)
        await new Promise((resolve) => setTimeout(resolve, 1))
      await Promise.all([a, b].map(ready))
      assert.deepEqual(
        [a, b].map((each) => each.services.overlay.ready),
        [true, true],
      )
      await oneRing([a, b])
    })

    it('makes one ring of two rings when a member of one meets a member of the other', async () => {
      const a = [await node()]
      for (let i = 0; i < 2; i++) a.push(await node({ bootstrap: addressOf(a[0] as Node) }))
      const b = [await node()]
      for (let i = 0; i < 2; i++) b.push(await node({ bootstrap: addressOf(b[0] as Node) }))
      await Promise.all([oneRing(a), oneRing(b)])
      await (a[1] as Node).dial(addressOf(b[2] as Node))
      await oneRing([...a, ...b])
    })

    it('never merges networks of different names', async () => {
      const a = await node({ network: 'red' })
      const b = await node({ network: 'blue', bootstrap: addressOf(a) })
      const c = await node({ network: 'red', bootstrap: addressOf(a) })
      await oneRing([a, c])
      await within(b.services.overlay.whenReady(), 'the blue node is ready by itself')
      assert.deepEqual(neighbors(b), [])
      assert.equal(a.services.overlay.network, 'red')
    })

    it('grows to eight nodes, all of which find the root of any key', async () => {
      const first = await node()
      const nodes = [first, ...(await Promise.all(Array.from({ length: 7 }, () => node({ bootstrap: addressOf(first) }))))]
      await oneRing(nodes)
      for (let i = 0; i < 8; i++) {
        const key = guidOf(Uint8Array.of(i))
        const [root] = ranks(nodes, key)
        for (const each of nodes) assert.equal((await each.services.overlay.lookup(key)).self.id, root)
      }
    })

    it('closes the ring when a node leaves, and when one is cut off', async () => {
      const first = await node()
      const rest = await Promise.all(Array.from({ length: 4 }, () => node({ bootstrap: addressOf(first) })))
      await oneRing([first, ...rest])
      const [leaver, ...others] = rest as [Node, ...Node[]]
      await leaver.stop()
      await oneRing([first, ...others])
    })

    it('links again when a connection between neighbours is lost', async () => {
      const a = await node()
      const b = await node({ bootstrap: addressOf(a) })
      await oneRing([a, b])
      const before = b.services.overlay.stats().link.dials + a.services.overlay.stats().link.dials
      cut(a, b.peerId)
      await until(() => a.getConnections(b.peerId).length > 0, 'they are connected again')
      // Not the node's own id, which is the other's where both ids lie in one half of a CAN.
      const keys = Array.from({ length: 64 }, (_, i) => guidOf(Uint8Array.of(i)))
      const { self } = await a.services.overlay.lookup(keys.find((key) => ranks([a, b], key)[0] === idOf(b))!)
      assert.equal(self.id, idOf(b))
      assert.ok(a.services.overlay.stats().link.dials + b.services.overlay.stats().link.dials - before <= 3)
      await oneRing([a, b])
    })

    it('takes a node back that starts again under its PeerId, as a new incarnation', async () => {
      const a = await node()
      const b = await node({ bootstrap: addressOf(a) })
      await oneRing([a, b])
      const { epoch } = b.services.overlay.self
      await b.stop()
      await oneRing([a])
      await b.start()
      await oneRing([a, b])
      assert.ok(b.services.overlay.self.epoch > epoch)
      const [seen] = a.services.overlay.kbr.neighborSet(1)
      assert.equal(seen?.epoch, b.services.overlay.self.epoch)
    })

    it('rejoins without a bootstrap address through the neighbours of its last run', async () => {
      const a = await node()
      const datastore = new MemoryDatastore()
      const privateKey = await generateKeyPair('Ed25519')
      const b = await node({ bootstrap: addressOf(a) }, { datastore, privateKey })
      await oneRing([a, b])
      const tagged = async (): Promise<boolean> =>
        [...(await b.peerStore.get(a.peerId)).tags.keys()].some((tag) => tag.startsWith('plaxton-'))
      for (let tries = 0; !(await tagged()); tries++) {
        assert.ok(tries < 500, 'b keeps a')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await b.stop()
      const again = await node({}, { datastore, privateKey })
      await oneRing([a, again])
    })

    it('finds peers for libp2p, with addresses to dial', async () => {
      const first = await node()
      const nodes = [first, ...(await Promise.all(Array.from({ length: 3 }, () => node({ bootstrap: addressOf(first) }))))]
      await oneRing(nodes)
      const [asker, wanted] = nodes as [Node, Node]
      const found = await asker.peerRouting.findPeer(wanted.peerId)
      assert.ok(found.id.equals(wanted.peerId))
      assert.deepEqual(found.multiaddrs.map(String), addressOf(wanted).map(String))

      const stranger = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      await assert.rejects(asker.peerRouting.findPeer(stranger), { name: 'NotFoundError' })

      const key = Uint8Array.of(1, 2, 3)
      const closest: string[] = []
      for await (const { id } of asker.peerRouting.getClosestPeers(key)) closest.push(guidOfPeer(id))
      assert.deepEqual(closest.toReversed(), ranks(nodes, guidOf(key)))
    })

    it('lets a caller give up waiting', async () => {
      const lonely = await node({ bootstrap: ['/ip4/127.0.0.1/tcp/1'] })
      const key = guidOf(Uint8Array.of(1))
      await assert.rejects(lonely.services.overlay.whenReady({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' })
      await assert.rejects(lonely.services.overlay.lookup(key, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
      const waiting = lonely.services.overlay.whenReady()
      await lonely.stop()
      await assert.rejects(waiting, { name: 'NotReadyError' })
      assert.throws(() => lonely.services.overlay.self, { name: 'NotReadyError' })
    })

    it('says what is wrong with a bootstrap address', async () => {
      for (const bootstrap of [['somewhere'], '/ip4/127.0.0.1/tcp/1'])
        await assert.rejects(node({ bootstrap: bootstrap as string[] }), { name: 'InvalidValueError', field: 'bootstrap' })
    })

    it('says so when the overlay is a function that was not called', () => {
      assert.throws(() => overlay((() => {}) as never), {
        name: 'InvalidValueError',
        field: 'overlay',
        allowed: 'an overlay, such as pastry()',
      })
    })

    it('cannot be made without identify', async () => {
      const { createLibp2p } = await import('libp2p')
      await assert.rejects(createLibp2p({ services: { overlay: overlay(factory()) as never } }), { name: 'UnmetServiceDependenciesError' })
    })
  })

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
