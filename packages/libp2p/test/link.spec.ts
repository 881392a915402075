import assert from 'node:assert/strict'
import { guidOfPeer } from '@plaxton/guid'
import { Cleanup, cut, until, within } from './support/swarm.ts'
import { bytesOf, linkNode, textOf } from './support/links.ts'
import type { ConnectionManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { LinkedNode } from './support/links.ts'

describe('Libp2pLink', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  async function pair(): Promise<[LinkedNode, LinkedNode]> {
    return [await linkNode(cleanup), await linkNode(cleanup)]
  }

  for (const transport of ['tcp', 'ws'] as const) {
    it(`carries frames both ways over ${transport}, in order, and proves who sent them`, async () => {
      const a = await linkNode(cleanup, {}, { transport })
      const b = await linkNode(cleanup, {}, { transport })
      for (let i = 0; i < 100; i++) a.link.send(b.link.self, bytesOf(`question ${i}`))
      const questions = await b.recorder.received(100)
      assert.deepEqual(
        questions.map(({ frame }) => textOf(frame)),
        Array.from({ length: 100 }, (_, i) => `question ${i}`),
      )
      assert.deepEqual(questions[0]?.from, a.link.self)
      assert.equal(questions[0]?.from.id, guidOfPeer(a.libp2p.peerId))

      b.link.send(questions[0].from, bytesOf('answer'))
      const [answer] = await a.recorder.received(1)
      assert.equal(textOf(answer?.frame ?? bytesOf('none')), 'answer')
      assert.deepEqual(answer?.from, b.link.self)
    })
  }

  describe('within one turn of the event loop', () => {
    let a: LinkedNode
    let b: LinkedNode
    let before: number
    const written = (): number => a.link.counters.writes - before
    beforeEach(async () => {
      ;[a, b] = await pair()
      a.link.send(b.link.self, bytesOf('first, so that the stream is open'))
      await b.recorder.received(1)
      before = a.link.counters.writes
    })

    it('writes the frames of one step at once', async () => {
      for (let i = 0; i < 200; i++) a.link.send(b.link.self, bytesOf('x'))
      await b.recorder.received(201)
      assert.equal(written(), 1)
    })

    it('writes as soon as the step is over, however long the turn goes on', async () => {
      a.link.send(b.link.self, bytesOf('x'))
      assert.equal(written(), 0)
      await Promise.resolve()
      assert.equal(written(), 1)
    })

    it('writes what the following steps send in one more write', async () => {
      for (let step = 0; step < 200; step++) {
        a.link.send(b.link.self, bytesOf('x'))
        await Promise.resolve()
      }
      await b.recorder.received(201)
      assert.equal(written(), 2)
    })

    it('writes a patient frame together with what follows it, and before that', async () => {
      a.link.send(b.link.self, bytesOf('patient'), true)
      await Promise.resolve()
      assert.equal(written(), 0)
      a.link.send(b.link.self, bytesOf('in haste'))
      await Promise.resolve()
      assert.equal(written(), 1)
      const [, ...frames] = await b.recorder.received(3)
      assert.deepEqual(
        frames.map(({ frame }) => textOf(frame)),
        ['patient', 'in haste'],
      )
      assert.equal(written(), 1)
    })

    it('writes a patient frame together with what follows it in the next turn', async () => {
      const writes: number[] = []
      // A turn may take longer than patience lasts, but not each of them.
      for (let trial = 1; trial <= 20; trial++) {
        before = a.link.counters.writes
        a.link.send(b.link.self, bytesOf('patient'), true)
        await new Promise((resolve) => setImmediate(resolve))
        a.link.send(b.link.self, bytesOf('in haste'))
        await b.recorder.received(1 + 2 * trial)
        writes.push(written())
      }
      assert.ok(writes.includes(1), `writes per trial: ${writes.join()}`)
    })

    it('writes a patient frame alone when nothing follows', async () => {
      a.link.send(b.link.self, bytesOf('patient'), true)
      await b.recorder.received(2)
      assert.equal(written(), 1)
    })

    it('tells of a lost connection as soon as the listener that heard of it is over', async () => {
      cut(a.libp2p, b.libp2p.peerId)
      let turns = 0
      setImmediate(() => turns++)
      for (let tries = 0; a.recorder.downs.length === 0 && tries < 100; tries++) await Promise.resolve()
      assert.deepEqual(a.recorder.downs, [{ peer: b.link.self, cause: 'disconnected' }])
      assert.equal(turns, 0)
    })
  })

  it('carries blocks of a megabyte on streams of their own, and small frames do not wait for them', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('open'))
    await b.recorder.received(1)
    const block = Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 251)
    for (let i = 0; i < 8; i++) a.link.send(b.link.self, block)
    a.link.send(b.link.self, bytesOf('small'))
    const frames = await b.recorder.received(10)
    assert.equal(textOf((frames[1] as { frame: Uint8Array }).frame), 'small')
    for (const { from, frame } of frames.slice(2)) {
      assert.deepEqual(from, a.link.self)
      assert.deepEqual(Buffer.compare(frame, block), 0)
    }
    assert.equal(b.link.counters.blocksReceived, 8)
    assert.equal(a.link.counters.blocksSent, 8)
  })

  it('keeps frames whole and in order under back-pressure', async () => {
    const [a, b] = await pair()
    const total = 64
    for (let i = 0; i < total; i++) {
      const frame = new Uint8Array(60_000).fill(i)
      a.link.send(b.link.self, frame)
      if (i % 8 === 7) await b.recorder.received(i - 6)
    }
    const frames = await b.recorder.received(total)
    assert.ok(frames.every(({ frame }, i) => frame.length === 60_000 && frame[0] === i && frame[59_999] === i))
    assert.equal(a.link.counters.dropped['queue full'], 0)
  })

  it('drops and counts what exceeds the queue of a peer', async () => {
    const a = await linkNode(cleanup, { limits: { maxQueuedFrameBytes: 10_000 } })
    const b = await linkNode(cleanup)
    for (let i = 0; i < 20; i++) a.link.send(b.link.self, new Uint8Array(1_000))
    assert.equal(a.link.counters.dropped['queue full'], 11)
    assert.equal((await b.recorder.received(9)).length, 9)
  })

  it('drops and counts a frame that no receiver would accept', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, new Uint8Array((1 << 20) + 80 * 1024 + 1))
    assert.equal(a.link.counters.dropped['too long'], 1)
  })

  it('needs one connection and survives two when both ends dial at once', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('from a'))
    b.link.send(a.link.self, bytesOf('from b'))
    await Promise.all([a.recorder.received(1), b.recorder.received(1)])
    const [first] = a.libp2p.getConnections(b.libp2p.peerId)
    if (a.libp2p.getConnections(b.libp2p.peerId).length > 1) {
      first?.abort(new Error('one of two'))
      await until(() => a.libp2p.getConnections(b.libp2p.peerId).length === 1, 'one connection left')
      assert.deepEqual([a.recorder.downs, b.recorder.downs], [[], []])
    }
    a.link.send(b.link.self, bytesOf('again from a'))
    b.link.send(a.link.self, bytesOf('again from b'))
    await Promise.all([a.recorder.received(2), b.recorder.received(2)])
  })

  it('lets go of one of two connections, and no frame is lost', async () => {
    const [a, b] = await pair()
    const dial = ({ libp2p }: LinkedNode, to: LinkedNode): Promise<unknown> => libp2p.dial(to.libp2p.getMultiaddrs(), { force: true })
    await dial(a, b)
    await dial(b, a)
    const connections = (): number => a.libp2p.getConnections().length + b.libp2p.getConnections().length
    await until(() => connections() === 4, 'two connections')
    let sent = 0
    const talking = setInterval(() => {
      a.link.send(b.link.self, bytesOf(`${sent}`))
      b.link.send(a.link.self, bytesOf(`${sent}`))
      sent++
    }, 1)
    await until(() => connections() === 2, 'one connection is left at both ends').finally(() => clearInterval(talking))
    for (const { recorder } of [a, b]) {
      const received = await recorder.received(sent)
      assert.deepEqual(new Set(received.map(({ frame }) => textOf(frame))), new Set(Array.from({ length: sent }, (_, i) => `${i}`)))
      assert.deepEqual(recorder.downs, [])
    }
  })

  it('tells both ends when the connection is lost, and links again when there is something to send', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('one'))
    await b.recorder.received(1)
    cut(a.libp2p, b.libp2p.peerId)
    assert.equal((await b.recorder.down('disconnected')).id, a.link.self.id)
    assert.equal((await a.recorder.down('disconnected')).id, b.link.self.id)
    b.link.send(a.link.self, bytesOf('two'))
    a.link.send(b.link.self, bytesOf('three'))
    assert.equal(textOf((await a.recorder.received(1))[0]?.frame as Uint8Array), 'two')
    assert.equal(textOf((await b.recorder.received(2))[1]?.frame as Uint8Array), 'three')
  })

  it('opens a new stream when the peer resets the held one', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('one'))
    await b.recorder.received(1)
    await until(() => b.link.linkedPeers === 1, 'the stream back')
    const held = b.libp2p
      .getConnections()
      .flatMap(({ streams }) => streams)
      .find((each) => each.protocol === a.link.frameProtocol && each.direction === 'inbound')
    held?.abort(new Error('reset by the test'))
    await until(() => a.link.linkedPeers === 0, 'the stream of a is gone')
    a.link.send(b.link.self, bytesOf('two'))
    await b.recorder.received(2)
    assert.deepEqual(a.recorder.downs, [])
  })

  it('reports a peer that cannot be reached, at once while it backs off, and dials again when the peer is heard of anew', async () => {
    const a = await linkNode(cleanup)
    const b = await linkNode(cleanup)
    const gone = b.link.self
    const { privateKey } = (b.libp2p as unknown as { components: { privateKey: never } }).components
    const port = Number(/tcp\/(\d+)/.exec(gone.address)?.[1])
    await b.link.close()
    await b.libp2p.stop()

    a.link.send(gone, bytesOf('lost'))
    assert.deepEqual(await a.recorder.down('unreachable'), gone)
    const { dials } = a.link.counters
    a.link.send(gone, bytesOf('lost too'))
    await until(() => a.recorder.downs.length === 2, 'the second report')
    assert.equal(a.link.counters.dials, dials)
    assert.equal(a.link.counters.dropped['peer down'], 2)

    const back = await linkNode(cleanup, { epoch: 2 }, { privateKey, port })
    assert.deepEqual(back.link.self, { ...gone, epoch: 2 })
    a.link.send(back.link.self, bytesOf('arrives'))
    assert.deepEqual((await back.recorder.received(1))[0]?.from, a.link.self)
  })

  it('gives up a dial that is not answered in time', async () => {
    const a = await linkNode(cleanup, { limits: { dialTimeoutMs: 100 } })
    const b = await linkNode(cleanup)
    const silent = await silentServer(cleanup)
    const address = b.link.self.address.replace(/tcp\/\d+/, `tcp/${silent}`)
    const ref = { ...b.link.self, address }
    a.link.send(ref, bytesOf('lost'))
    assert.deepEqual(await a.recorder.down('unreachable'), ref)
  })

  it('learns who is at an address', async () => {
    const [a, b] = await pair()
    const [address] = b.libp2p.getMultiaddrs()
    const signal = AbortSignal.timeout(5_000)
    assert.deepEqual(await a.link.connect(address as Multiaddr, signal), b.link.self)
    assert.deepEqual(await a.link.connect(b.libp2p.peerId, signal), b.link.self)
  })

  it('lets a caller give up on an address', async () => {
    const a = await linkNode(cleanup)
    const { multiaddr } = await import('@multiformats/multiaddr')
    const address = multiaddr(`/ip4/127.0.0.1/tcp/${await silentServer(cleanup)}`)
    await assert.rejects(a.link.connect(address, AbortSignal.timeout(50)))
  })

  it('reaches a node that does not listen on the connection it made', async () => {
    const a = await linkNode(cleanup, {}, { transport: 'none' })
    const b = await linkNode(cleanup)
    assert.equal(a.link.self.address, `/p2p/${a.libp2p.peerId.toString()}`)
    a.link.send(b.link.self, bytesOf('hello'))
    const [arrival] = await b.recorder.received(1)
    assert.deepEqual(arrival?.from, a.link.self)
    b.link.send(arrival.from, bytesOf('back'))
    await a.recorder.received(1)
  })

  it('never links two networks, whatever connections there are', async () => {
    const a = await linkNode(cleanup, { network: 'one' })
    const b = await linkNode(cleanup, { network: 'two' })
    await a.libp2p.dial(b.libp2p.getMultiaddrs())
    a.link.send(b.link.self, bytesOf('lost'))
    assert.deepEqual(await a.recorder.down('unreachable'), b.link.self)
    await assert.rejects(a.link.connect(b.libp2p.getMultiaddrs()[0] as Multiaddr, AbortSignal.timeout(5_000)), {
      name: 'UnsupportedProtocolError',
    })
    assert.deepEqual(b.recorder.frames, [])
  })

  for (const network of ['', 'Upper', 'a/b', 'x'.repeat(33)]) {
    it(`refuses the network name ${JSON.stringify(network)}`, async () => {
      await assert.rejects(linkNode(cleanup, { network }), { name: 'InvalidValueError', field: 'network' })
    })
  }

  it('tags the peers to keep, and takes the tag from those it no longer keeps', async () => {
    const [a, b] = await pair()
    const c = await linkNode(cleanup)
    const tag = 'plaxton-ring'
    const tagged = async (): Promise<string[]> => {
      const peers = await a.libp2p.peerStore.all({ filters: [(peer) => peer.tags.has(tag)] })
      return peers.map(({ id }) => id.toString()).toSorted()
    }
    const eventually = async (expected: LinkedNode[]): Promise<void> => {
      const ids = expected.map(({ libp2p }) => libp2p.peerId.toString()).toSorted()
      for (let tries = 0; tries < 200; tries++) if (JSON.stringify(await tagged()) === JSON.stringify(ids)) return
      assert.deepEqual(await tagged(), ids)
    }
    a.link.keep([b.link.self, c.link.self])
    await eventually([b, c])
    a.link.keep([c.link.self])
    await eventually([c])
  })

  it('leaves it to the overlay to dial a kept peer that was lost', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('one'))
    await b.recorder.received(1)
    a.link.keep([b.link.self])
    await within(
      (async () => {
        while ((await a.libp2p.peerStore.get(b.libp2p.peerId)).tags.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      })(),
      'the tag',
    )
    let dials = 0
    const components = (a.libp2p as unknown as { components: { connectionManager: ConnectionManager } }).components
    const { connectionManager } = components
    const openConnection = connectionManager.openConnection.bind(connectionManager)
    connectionManager.openConnection = async (...args) => {
      dials++
      return await openConnection(...args)
    }
    cut(a.libp2p, b.libp2p.peerId)
    await a.recorder.down('disconnected')
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(dials, 0)
  })

  it('delivers what was sent just before it closes', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('one'))
    await b.recorder.received(1)
    a.link.send(b.link.self, bytesOf('goodbye'))
    await a.link.close()
    assert.equal(textOf((await b.recorder.received(2))[1]?.frame as Uint8Array), 'goodbye')
  })

  it('leaves no stream open when it closes', async () => {
    const [a, b] = await pair()
    a.link.send(b.link.self, bytesOf('one'))
    await b.recorder.received(1)
    await a.link.close()
    const ours = (node: LinkedNode): string[] =>
      node.libp2p
        .getConnections()
        .flatMap(({ streams }) => streams)
        .map(({ protocol }) => protocol)
        .filter((protocol) => protocol.includes('plaxton'))
    assert.deepEqual(ours(a), [])
    await until(() => ours(b).length === 0, 'the streams at b are gone')
  })
})

/** A port where connections are accepted and nothing is ever said. */
async function silentServer(cleanup: Cleanup): Promise<number> {
  const { createServer } = await import('node:net')
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.defer(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}
