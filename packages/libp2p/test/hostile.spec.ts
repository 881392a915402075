import assert from 'node:assert/strict'
import { multiaddr } from '@multiformats/multiaddr'
import { guidOfPeer } from '@plaxton/guid'
import { encodeHello } from '../src/hello.ts'
import { framed } from '../src/frame-queue.ts'
import { Cleanup, localNode, until, within } from './support/swarm.ts'
import { bytesOf, linkNode } from './support/links.ts'
import type { Stream } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { LinkLimits } from '../src/limits.ts'
import type { LinkedNode } from './support/links.ts'

describe('a live link against hostile peers', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  let victim: LinkedNode
  let attacker: Libp2p

  async function meet(limits: Partial<LinkLimits> = {}): Promise<void> {
    victim = await linkNode(cleanup, { limits })
    attacker = cleanup.add(await localNode({ services: {} }))
    await attacker.dial(victim.libp2p.getMultiaddrs())
  }

  /** A stream of the attacker to the victim. */
  function streamTo(protocol = victim.link.frameProtocol): Promise<Stream> {
    const [connection] = attacker.getConnections(victim.libp2p.peerId)
    assert.ok(connection)
    return connection.newStream(protocol)
  }

  function hello(changes: { network?: string; overlay?: string; node?: object } = {}): Uint8Array {
    const { node, ...names } = changes
    const peerId = attacker.peerId
    const self = { id: guidOfPeer(peerId), address: `/p2p/${peerId.toString()}`, epoch: 1, ...node }
    return framed(encodeHello({ network: 'test', overlay: 'ring', node: self, ...names }))
  }

  function closed(stream: Stream): Promise<void> {
    if (stream.status !== 'open') return Promise.resolve()
    return within(new Promise<void>((resolve) => stream.addEventListener('close', () => resolve())), 'the stream is reset')
  }

  /** The victim still speaks with a well-behaved peer, and holds no memory for the attacker. */
  async function assertWell(): Promise<void> {
    const friend = await linkNode(cleanup)
    const before = victim.recorder.frames.length
    friend.link.send(victim.link.self, bytesOf('are you well?'))
    const frames = await victim.recorder.received(before + 1)
    assert.deepEqual(frames.at(-1)?.from, friend.link.self)
  }

  const firstWords: Array<[string, () => Uint8Array]> = [
    ['garbage instead of a hello', () => framed(Uint8Array.from({ length: 100 }, (_, i) => (i * 7919) % 256))],
    ['an empty frame', () => Uint8Array.of(0)],
    ['an oversized length', () => Uint8Array.of(0xff, 0xff, 0xff, 0x7f)],
    ['a length that never ends', () => new Uint8Array(100).fill(0xff)],
    ['a hello for another network', () => hello({ network: 'other' })],
    ['a hello for another overlay', () => hello({ overlay: 'other' })],
    ['a hello under an id of its choice', () => hello({ node: { id: '0'.repeat(64) } })],
    ['a hello in the name of the victim', () => hello({ node: victim.link.self })],
    ['a hello of a megabyte', () => framed(new Uint8Array(1 << 16))],
    ['a hello of another version', () => framed(Uint8Array.of(0x08, 0x02))],
  ]
  for (const [what, bytes] of firstWords) {
    it(`resets a stream that begins with ${what}`, async () => {
      await meet()
      const stream = await streamTo()
      stream.send(bytes())
      await closed(stream)
      assert.equal(victim.link.counters.dropped['stream reset'], 1)
      assert.equal(victim.recorder.frames.length, 0)
      await assertWell()
    })
  }

  it('sends nothing to the attacker in the place of another node', async () => {
    await meet()
    const other = await linkNode(cleanup)
    const addresses = attacker
      .getMultiaddrs()
      .map((address) => String(address))
      .join(',')
    victim.link.send({ id: other.link.self.id, address: addresses, epoch: Date.now() }, bytesOf('for your eyes only'))
    victim.link.send({ id: other.link.self.id, address: 'nonsense', epoch: Date.now() }, bytesOf('for your eyes only'))
    assert.equal(victim.link.counters.dropped['false reference'], 2)
    victim.link.send(other.link.self, bytesOf('hello'))
    assert.deepEqual(textsOf(await other.recorder.received(1)), ['hello'])
  })

  it('still finds a peer that somebody says has moved', async () => {
    await meet()
    const other = await linkNode(cleanup)
    other.link.send(victim.link.self, bytesOf('here I am'))
    await victim.recorder.received(1)
    const elsewhere = `/ip4/127.0.0.1/tcp/9/p2p/${other.libp2p.peerId.toString()}`
    await victim.libp2p.hangUp(other.libp2p.peerId)
    await victim.recorder.down('disconnected')
    victim.link.send({ id: other.link.self.id, address: elsewhere, epoch: other.link.self.epoch + 1 }, bytesOf('did you move?'))
    assert.deepEqual(textsOf(await other.recorder.received(1)), ['did you move?'])
  })

  it('resets a stream whose hello does not come in time', async () => {
    await meet({ helloTimeoutMs: 200 })
    const silent = await streamTo()
    const slow = await streamTo(victim.link.blockProtocol)
    slow.send(hello().subarray(0, 20))
    await Promise.all([closed(silent), closed(slow)])
    assert.equal(victim.link.counters.dropped['stream reset'], 2)
    await assertWell()
  })

  it('resets a stream whose frame does not end in time, however it trickles', async () => {
    await meet({ frameTimeoutMs: 200 })
    const stream = await streamTo()
    stream.send(hello())
    stream.send(Uint8Array.of(100))
    const trickle = setInterval(() => stream.status === 'open' && stream.send(Uint8Array.of(1)), 50)
    cleanup.defer(() => clearInterval(trickle))
    await closed(stream)
    assert.equal(victim.link.counters.dropped['stream reset'], 1)
    await assertWell()
  })

  it('keeps a good stream open while it is silent between frames', async () => {
    await meet({ frameTimeoutMs: 100, helloTimeoutMs: 100 })
    const stream = await streamTo()
    stream.send(hello())
    stream.send(framed(bytesOf('one')))
    await victim.recorder.received(1)
    // The sweep that resets slow streams runs each second.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    stream.send(framed(bytesOf('two')))
    await victim.recorder.received(2)
  })

  it('refuses a frame above 64 KiB on the held stream and above a block on a block stream', async () => {
    await meet()
    const frames = await streamTo()
    frames.send(hello())
    frames.send(framed(new Uint8Array(64 * 1024 + 1)))
    const blocks = await streamTo(victim.link.blockProtocol)
    blocks.send(hello())
    blocks.send(Uint8Array.of(0x81, 0x80, 0x45)) // 1 MiB + 80 KiB + 1
    await Promise.all([closed(frames), closed(blocks)])
    assert.equal(victim.link.counters.dropped['stream reset'], 2)
    await assertWell()
  })

  it('bounds the memory for unfinished frames of one peer', async () => {
    await meet({ maxInboundBytesPerPeer: 300_000 })
    const streams = await Promise.all(Array.from({ length: 4 }, () => streamTo(victim.link.blockProtocol)))
    for (const stream of streams) {
      stream.send(hello())
      stream.send(framed(new Uint8Array(1_000_000)).subarray(0, 100_000))
    }
    await until(() => victim.link.counters.dropped['stream reset'] >= 2, 'streams beyond the bound are reset')
    await assertWell()
  })

  it('limits the streams of one peer', async () => {
    await meet()
    const streams = await Promise.all(Array.from({ length: 60 }, () => streamTo().catch(() => undefined)))
    for (const stream of streams) if (stream?.status === 'open') stream.send(hello())
    const [connection] = victim.libp2p.getConnections(attacker.peerId)
    await until(
      () =>
        (connection?.streams ?? []).filter((each) => each.protocol === victim.link.frameProtocol && each.direction === 'inbound').length <=
        4,
      'at most four streams',
    )
    await assertWell()
  })

  it('hands on a flood of frames without holding any', async () => {
    await meet()
    const stream = await streamTo()
    stream.send(hello())
    const burst = new Uint8Array(40_000)
    for (let i = 0; i < burst.length; i += 2) burst.set([1, 42], i)
    for (let i = 0; i < 20; i++) stream.send(burst)
    await victim.recorder.received(20 * 20_000)
    await assertWell()
  })

  it('resets a stream that carries nothing but garbage', async () => {
    await meet({ maxGarbledInARow: 10 })
    victim.recorder.onFrame = (_from, frame) => (frame[0] === 0 ? false : undefined)
    const stream = await streamTo()
    stream.send(hello())
    for (let i = 0; i < 9; i++) stream.send(framed(Uint8Array.of(0)))
    stream.send(framed(Uint8Array.of(1)))
    for (let i = 0; i < 9; i++) stream.send(framed(Uint8Array.of(0)))
    await until(() => victim.link.counters.framesReceived === 19, 'all have arrived')
    assert.equal(stream.status, 'open')
    stream.send(framed(Uint8Array.of(0)))
    await closed(stream)
    Reflect.deleteProperty(victim.recorder, 'onFrame')
    await assertWell()
  })

  it('lives on when its receiver throws', async () => {
    await meet()
    victim.recorder.onFrame = () => {
      throw new Error('a bug')
    }
    const stream = await streamTo()
    stream.send(hello())
    stream.send(framed(bytesOf('boom')))
    await until(() => victim.link.counters.dropped['receiver failed'] === 1, 'the fault is counted')
    Reflect.deleteProperty(victim.recorder, 'onFrame')
    await assertWell()
  })

  it('backs off from a peer that resets every stream', async () => {
    victim = await linkNode(cleanup)
    attacker = cleanup.add(await localNode({ services: {} }))
    await attacker.handle(victim.link.frameProtocol, (stream) => stream.abort(new Error('no')))
    const [address] = attacker.getMultiaddrs()
    const ref = { id: guidOfPeer(attacker.peerId), address: String(address), epoch: 1 }
    for (let i = 0; i < 200; i++) {
      victim.link.send(ref, bytesOf('?'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => victim.recorder.downs.length > 0, 'the peer is reported')
    assert.ok(victim.link.counters.streamsOpened < 10)
    await assertWell()
  })

  it('does not dial where a stranger points it without proof of who is there', async () => {
    await meet()
    const other = await linkNode(cleanup)
    const lie = multiaddr(`${String(attacker.getMultiaddrs()[0]?.decapsulateCode(421))}/p2p/${other.libp2p.peerId.toString()}`)
    victim.link.send({ ...other.link.self, address: String(lie) }, bytesOf('for the other only'))
    await victim.recorder.down('unreachable')
    assert.deepEqual(other.recorder.frames, [])
  })
})

function textsOf(arrivals: ReadonlyArray<{ readonly frame: Uint8Array }>): string[] {
  return arrivals.map(({ frame }) => new TextDecoder().decode(frame))
}
