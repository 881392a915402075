import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOf } from '@plaxton/guid'
import { verifyEd25519 } from '@plaxton/runtime'
import { MemoryDatastore } from 'datastore-core'
import { dolr, overlay, past } from '../src/index.ts'
import { NodeRefs } from '../src/node-address.ts'
import { bytesOf, linkNode, textOf } from './support/links.ts'
import { overlays } from './support/overlays.ts'
import { Cleanup, localNode, until } from './support/swarm.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory } from '@plaxton/kbr'
import type { Libp2p } from 'libp2p'
import type { LinkReceiver } from '@plaxton/runtime'
import type { DolrService, OverlayInit, OverlayService, PastService } from '../src/index.ts'

/** Longest wait for anything: a machine may be busy with other work. */
const patienceMs = 60_000

describe('virtual nodes', function () {
  this.timeout(180_000)
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  describe('are named so that anybody can check it', () => {
    const address = '/ip4/10.0.0.1/tcp/1/p2p/'
    let host: string
    let identity: Uint8Array

    before(async () => {
      const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      host = `${address}${peer.toString()}`
      identity = peer.toMultihash().bytes
    })

    /** By the book: SHA-256 of the PeerId's bytes and the number. */
    const idOf = (index: number): Guid =>
      createHash('sha256')
        .update(identity)
        .update(index === 0 ? Uint8Array.of() : Uint8Array.of(index))
        .digest('hex') as Guid

    it('by the number behind the address, with the id that follows from the PeerId and the number', () => {
      const refs = new NodeRefs(64)
      for (const index of [1, 9, 10, 63]) {
        assert.deepEqual(refs.read(idOf(index), `${host}#${index}`, 5), { id: idOf(index), address: `${host}#${index}`, epoch: 5 })
      }
      assert.equal(refs.read(idOf(0), host, 5)?.id, idOf(0))
      assert.equal(refs.rejected, 0)
    })

    it('and under no other id, number or spelling', () => {
      const refs = new NodeRefs(64)
      const forgeries: Array<[Guid, string]> = [
        [idOf(2), `${host}#1`],
        [idOf(0), `${host}#1`],
        [idOf(1), host],
        [guidOf(bytesOf('mine')), `${host}#1`],
        ...['#0', '#01', '#+1', '#1 ', '#1.0', '#', '#1#1', '##1', '#x', '#64', '#255', '#1e1'].map((end): [Guid, string] => [
          idOf(1),
          host + end,
        ]),
        [idOf(64), `${host}#64`],
      ]
      for (const [id, where] of forgeries) assert.equal(refs.read(id, where, 5), undefined, where)
      assert.equal(refs.rejected, forgeries.length)
    })

    it('up to the number that the network allows', () => {
      const refs = new NodeRefs(4)
      assert.notEqual(refs.read(idOf(3), `${host}#3`, 5), undefined)
      assert.equal(refs.read(idOf(4), `${host}#4`, 5), undefined)
    })
  })

  describe('on one link', () => {
    /** Opens a virtual node's link, which keeps what arrives. */
    async function open(
      link: { virtualNode(index: number): ReturnType<Awaited<ReturnType<typeof linkNode>>['link']['virtualNode']> },
      index: number,
    ) {
      const texts: string[] = []
      const downs: string[] = []
      const receiver: LinkReceiver = {
        onFrame: (from, frame) => void texts.push(`${from.address.split('#')[1] ?? '0'}: ${textOf(frame)}`),
        onPeerDown: (peer, cause) => void downs.push(`${peer.address.split('#')[1] ?? '0'} ${cause}`),
      }
      const own = link.virtualNode(index)
      await own.open(receiver)
      return { link: own, texts, downs }
    }

    it('share one connection and one stream each way with those of another host', async () => {
      const [a, b] = [await linkNode(cleanup), await linkNode(cleanup)]
      const here = await Promise.all([1, 2, 3].map((index) => open(a.link, index)))
      const there = await Promise.all([1, 2, 3].map((index) => open(b.link, index)))
      for (const from of here) for (const to of there) from.link.send(to.link.self, bytesOf('hello'))
      await until(() => there.every(({ texts }) => texts.length === 3), 'all frames', patienceMs)
      assert.deepEqual(there[0]!.texts, ['1: hello', '2: hello', '3: hello'])
      for (const to of there) to.link.send(here[0]!.link.self, bytesOf('back'))
      await until(() => here[0]!.texts.length === 3, 'the answers', patienceMs)
      assert.equal(a.libp2p.getConnections().length, 1)
      assert.deepEqual(
        [a.link.counters.dials + b.link.counters.dials, a.link.counters.streamsOpened, b.link.counters.streamsOpened],
        [1, 1, 1],
      )
      assert.deepEqual([a.link.linkedPeers, b.link.linkedPeers], [1, 1])
    })

    it('exchange frames on one host without any leaving the process', async () => {
      const a = await linkNode(cleanup)
      const [one, two] = [await open(a.link, 1), await open(a.link, 2)]
      one.link.send(two.link.self, bytesOf('hello'))
      one.link.send(a.link.self, bytesOf('you too'))
      assert.deepEqual(two.texts, [])
      assert.deepEqual((await a.recorder.received(1))[0]?.from, one.link.self)
      assert.deepEqual(two.texts, ['1: hello'])
      assert.deepEqual([a.link.counters.framesSent, a.link.counters.framesLocal], [0, 2])
    })

    it('sign with the key of their host, which others find good for them by their number', async () => {
      const [a, b] = [await linkNode(cleanup), await linkNode(cleanup)]
      const virtual = a.link.virtualNode(5)
      const key = await virtual.key()
      const { publicKey } = key
      assert.equal(await verifyEd25519(publicKey, bytesOf('x'), await key.sign(bytesOf('x'))), true)
      assert.equal(b.link.isKeyOf(virtual.self, publicKey), true)
      assert.equal(b.link.isKeyOf({ ...virtual.self, id: a.link.virtualNode(6).self.id }, publicKey), false)
      assert.equal(b.link.isKeyOf({ ...virtual.self, address: a.link.self.address }, publicKey), false)
      assert.equal(b.link.isKeyOf(b.link.virtualNode(5).self, publicKey), false)
    })

    it('are told when one of another host ends while its host goes on', async () => {
      const [a, b] = [await linkNode(cleanup), await linkNode(cleanup)]
      const [one, two] = [await open(a.link, 1), await open(b.link, 2)]
      one.link.send(two.link.self, bytesOf('hello'))
      await until(() => two.texts.length === 1, 'the frame')
      two.link.send(one.link.self, bytesOf('hello'))
      await until(() => one.texts.length === 1, 'the answer')
      await two.link.close()
      await until(() => one.downs.length === 1, 'word of the end')
      one.link.send(two.link.self, bytesOf('anybody?'))
      await until(() => one.downs.length === 2, 'word that there is nobody')
      assert.deepEqual(one.downs, ['2 disconnected', '2 unreachable'])
      assert.deepEqual(a.recorder.downs, [])
    })

    it('lose frames for a node that does not exist, which are counted, and frames from one that may not be', async () => {
      const [a, b] = [await linkNode(cleanup), await linkNode(cleanup, { virtualNodesMax: 4 })]
      a.link.send({ ...b.link.self, id: b.link.virtualNode(3).self.id, address: `${b.link.self.address}#3` }, bytesOf('nobody there'))
      await until(() => b.link.counters.dropped['no such node'] === 1, 'a frame for nobody')
      const beyond = await open(a.link, 4)
      beyond.link.send(b.link.self, bytesOf('from beyond'))
      await until(() => b.link.counters.dropped['no such node'] === 2, 'a frame of a node with too high a number')
      a.link.send(b.link.self, bytesOf('still works'))
      await b.recorder.received(1)
      assert.deepEqual(
        b.recorder.frames.map(({ frame }) => textOf(frame)),
        ['still works'],
      )
    })

    const hostile: Array<[string, number[]]> = [
      ['that ends before its numbers do', [7]],
      ['that ends in the middle of its numbers', [7, 1]],
      ['from a number that no host has', [7, 64, 0, 1, 2, 3]],
      ['from number 255 to number 255', [7, 255, 255, 1, 2, 3]],
      ['to a number that no host has', [7, 0, 64, 1, 2, 3]],
    ]
    for (const [what, bytes] of hostile) {
      it(`drop and count a frame ${what}`, async () => {
        const [a, b] = [await linkNode(cleanup), await linkNode(cleanup)]
        a.link.send(b.link.self, bytesOf('hello'))
        await b.recorder.received(1)
        await a.link.close()
        const stream = await a.libp2p.dialProtocol(b.libp2p.peerId, b.link.frameProtocol)
        const { encodeHello } = await import('../src/hello.ts')
        const { framed } = await import('../src/frame-queue.ts')
        stream.send(framed(encodeHello({ network: 'test', overlay: 'ring', node: a.link.self })))
        stream.send(framed(Uint8Array.from(bytes)))
        await until(() => b.link.counters.dropped['no such node'] === 1, 'the drop')
        stream.send(framed(bytesOf('still works')))
        await b.recorder.received(2)
      })
    }

    it('cannot be had beyond what the network allows', async () => {
      const { link } = await linkNode(cleanup, { virtualNodesMax: 4 })
      for (const index of [0, 4, 1.5, -1]) assert.throws(() => link.virtualNode(index), { name: 'InvalidValueError' })
    })
  })

  for (const [name, { factory }] of Object.entries(overlays)) {
    describe(`over ${name}, 3 hosts of 4`, () => {
      type Node = Libp2p<{ overlay: OverlayService; past: PastService; dolr: DolrService }>
      interface Machine {
        readonly privateKey: PrivateKey
        readonly datastore: MemoryDatastore
      }
      const objects = Array.from({ length: 10 }, (_, i) => bytesOf(`object ${i}`))

      async function start(machine: Machine, init: OverlayInit, make: () => OverlayFactory = factory): Promise<Node> {
        const quick = past({ settleMs: 50, quickSyncMs: 200 })
        const services = { overlay: overlay(make(), { virtualNodes: 4, ...init }), past: quick, dolr: dolr() }
        const node = cleanup.add((await localNode({ ...machine, services: services as never })) as unknown as Node)
        await until(() => node.services.overlay.nodes.every(({ ready }) => ready), 'all virtual nodes are members', patienceMs)
        return node
      }

      const machine = async (): Promise<Machine> => ({ privateKey: await generateKeyPair('Ed25519'), datastore: new MemoryDatastore() })
      const copies = (node: Node): number => node.services.past.stats().objects

      async function three(): Promise<{ nodes: Node[]; machines: Machine[] }> {
        const machines = [await machine(), await machine(), await machine()]
        const first = await start(machines[0]!, {})
        const bootstrap = first.getMultiaddrs()
        return { nodes: [first, await start(machines[1]!, { bootstrap }), await start(machines[2]!, { bootstrap })], machines }
      }

      it('stores, reads and removes, with one copy on each host; survives the death of one, which comes back on its disk', async () => {
        const { nodes, machines } = await three()
        const [a, b, c] = nodes as [Node, Node, Node]
        assert.equal(new Set(nodes.flatMap((node) => node.services.overlay.nodes.map(({ self }) => self.id))).size, 12)
        for (const data of objects) {
          const { holders } = await a.services.past.put(guidOf(data), data)
          assert(holders.length >= 2)
        }
        const spread = (all: readonly Node[]) => () => all.every((node) => copies(node) === objects.length)
        await until(spread(nodes), () => `copies: ${nodes.map(copies).join()}`, patienceMs)
        for (const node of nodes)
          for (const data of objects) assert.deepEqual(Buffer.from(await node.services.past.get(guidOf(data))), Buffer.from(data))
        for (const node of nodes) assert.equal(node.services.past.statsOfNodes().length, 4)
        // Which of a host's nodes has an object follows from random ids. On a ring a single one has all ten on one host in seventy; on all three hosts hardly ever.
        const isDivided = (node: Node): boolean => node.services.past.statsOfNodes().every(({ objects: held }) => held < objects.length)
        assert(nodes.some(isDivided))

        await b.services.overlay.crash()
        for (const connection of b.getConnections()) connection.abort(new Error('pulled'))
        await b.stop()
        for (const node of [a, c])
          for (const data of objects) assert.deepEqual(Buffer.from(await node.services.past.get(guidOf(data))), Buffer.from(data))

        const back = await start(machines[1]!, { bootstrap: a.getMultiaddrs() })
        await until(spread([a, back, c]), () => `copies: ${[a, back, c].map(copies).join()}`, patienceMs)
        for (const data of objects) await a.services.past.remove(guidOf(data))
        for (const node of [a, back, c]) {
          for (const data of objects) await assert.rejects(node.services.past.get(guidOf(data)), { name: 'NotFoundError' })
        }
      })

      it('reaches an object that one of them hosts', async () => {
        const { nodes } = await three()
        const [a, b, c] = nodes as [Node, Node, Node]
        const guid = guidOf(bytesOf('an object'))
        await b.services.dolr.host(guid, (message) => bytesOf(`${textOf(message)} answered`))
        for (const node of [a, c]) assert.equal(textOf(await node.services.dolr.sendToObj(bytesOf('question'), guid)), 'question answered')
        assert.equal((await c.services.dolr.locate(guid))[0]?.id, b.services.overlay.self.id)
      })

      it('forms one ring with a host that has one node, and closes it when the others leave', async () => {
        const { nodes } = await three()
        const [a, b] = nodes as [Node, Node, Node]
        const single = await start(await machine(), { bootstrap: a.getMultiaddrs(), virtualNodes: 1 })
        for (const data of objects) await single.services.past.put(guidOf(data), data)
        await a.stop()
        await b.stop()
        for (const data of objects) assert.deepEqual(Buffer.from(await single.services.past.get(guidOf(data))), Buffer.from(data))
      })
    })
  }

  it('are refused in numbers out of range', async () => {
    for (const virtualNodes of [0, 65, 1.5]) {
      await assert.rejects(localNode({ services: { overlay: overlay(overlays['pastry']!.factory(), { virtualNodes }) as never } }), {
        name: 'InvalidValueError',
      })
    }
  })
})
