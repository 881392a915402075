import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { guidOf } from '@plaxton/guid'
import { pastry } from '@plaxton/pastry'
import { CID } from 'multiformats/cid'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { dolr, guidOfContent, overlay, past } from '../src/index.ts'
import { overlays } from './support/overlays.ts'
import { Cleanup, localNode, until, within } from './support/swarm.ts'
import type { OverlayFactory } from '@plaxton/kbr'
import type { Libp2p } from 'libp2p'
import type { DolrService, OverlayInit, OverlayService, PastService } from '../src/index.ts'

type Node = Libp2p<{ overlay: OverlayService; dolr: DolrService; past: PastService }>

/** Multicodec of plain bytes, and of dag-pb. */
const [raw, dagPb] = [0x55, 0x70]

describe('the DOLR service', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  async function node(
    init: OverlayInit = {},
    config: Parameters<typeof dolr>[0] = {},
    factory: () => OverlayFactory = pastry,
  ): Promise<Node> {
    const services = { dolr: dolr(config), overlay: overlay(factory(), init), past: past() }
    return cleanup.add((await localNode({ services: services as never })) as unknown as Node)
  }

  /** Nodes on the defaults, joined through the first. Not waited for: calls wait by themselves. */
  async function nodes(count: number, factory: () => OverlayFactory = pastry): Promise<[Node, ...Node[]]> {
    const first = await node({}, {}, factory)
    const bootstrap = first.getMultiaddrs()
    return [first, ...(await Promise.all(Array.from({ length: count - 1 }, () => node({ bootstrap }, {}, factory))))]
  }

  const ready = async (swarm: readonly Node[]): Promise<unknown> => Promise.all(swarm.map((each) => each.services.overlay.whenReady()))
  const dolrOf = (of: Node | undefined): DolrService => (of as Node).services.dolr
  const data = (text: string): Uint8Array => new TextEncoder().encode(text)
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
  const says = (words: string) => (message: Uint8Array) => data(`${words} to ${text(message)}`)
  const room = guidOf(data('a room'))

  /** As if its machine lost power: no goodbye, the sockets gone. */
  async function crash(victim: Node): Promise<void> {
    await victim.services.overlay.host.stop()
    for (const connection of victim.getConnections()) connection.abort(new Error('pulled'))
    await victim.stop()
  }

  for (const [name, { factory }] of Object.entries(overlays)) {
    describe(`over ${name}`, () => {
      for (const count of [1, 2, 3, 8]) {
        it(`hosts an object and answers messages to it at once in a network of ${count} on the defaults`, async () => {
          const swarm = await nodes(count, factory)
          await dolrOf(swarm[0]).host(room, says('hello'))
          for (const [i, each] of swarm.entries()) {
            assert.equal(text(await dolrOf(each).sendToObj(data(`${i}`), room)), `hello to ${i}`)
            assert.deepEqual(
              (await dolrOf(each).locate(room, 3)).map(({ id }) => id),
              [swarm[0].services.overlay.self.id],
            )
          }
          await dolrOf(swarm[0]).unpublish(room)
          await assert.rejects(async () => dolrOf(swarm.at(-1)).sendToObj(data('anybody'), room), { name: 'NotFoundError' })
        })
      }

      it('has the next message answered by another host when one dies in the middle of a conversation', async () => {
        const swarm = await nodes(6, factory)
        await ready(swarm)
        await dolrOf(swarm[4]).host(room, says('4'))
        await dolrOf(swarm[5]).host(room, says('5'))
        const first = text(await dolrOf(swarm[0]).sendToObj(data('you'), room))
        const answering = first.startsWith('4') ? 4 : 5
        await crash(swarm[answering] as Node)
        const next = await within(Promise.resolve(dolrOf(swarm[0]).sendToObj(data('you'), room)), 'an answer of the other host')
        assert.equal(text(next), `${9 - answering} to you`)
      })
    })
  }

  it('hands out the replies of several hosts as they come, as many as there are', async () => {
    const swarm = await nodes(4)
    await ready(swarm)
    for (const i of [0, 1, 2]) await dolrOf(swarm[i]).host(room, says(`host ${i}`))
    const replies = await Array.fromAsync(dolrOf(swarm[3]).sendToObj(data('all'), room, 5))
    assert.deepEqual(replies.map(text).toSorted(), ['host 0 to all', 'host 1 to all', 'host 2 to all'])
    assert.equal((await Array.fromAsync(dolrOf(swarm[3]).sendToObj(data('two'), room, 2))).length, 2)
  })

  it('carries a megabyte there and back', async () => {
    const [a, b] = (await nodes(2)) as [Node, Node]
    await dolrOf(a).host(room, (message) => message.toReversed())
    const message = new Uint8Array(randomBytes(1 << 20))
    assert.deepEqual(guidOf(await dolrOf(b).sendToObj(message, room)), guidOf(message.toReversed()))
  })

  it('follows an object that moves', async () => {
    const [a, b, c] = await nodes(3)
    const hosting = await dolrOf(a).host(room, says('a'))
    assert.equal(text(await dolrOf(c).sendToObj(data('you'), room)), 'a to you')
    await dolrOf(b).host(room, says('b'))
    await hosting.stop()
    assert.equal(text(await dolrOf(c).sendToObj(data('you'), room)), 'b to you')
  })

  it('tells the sender why a handler refuses', async () => {
    const [a, b] = (await nodes(2)) as [Node, Node]
    await dolrOf(a).host(room, () => {
      throw new Error('the room is full')
    })
    await assert.rejects(async () => dolrOf(b).sendToObj(data('let me in'), room), /the room is full/)
  })

  it('tells what it does, and stops when asked to', async () => {
    const [a, b] = (await nodes(2)) as [Node, Node]
    const { promise: never } = Promise.withResolvers<Uint8Array>()
    await dolrOf(a).host(room, () => never)
    const steps: string[] = []
    const giveUp = new AbortController()
    const onProgress = ({ type }: { type: string }): void => {
      steps.push(type)
      if (type === 'dolr:sending') giveUp.abort(new Error('enough'))
    }
    await assert.rejects(async () => dolrOf(b).sendToObj(data('?'), room, 1, { signal: giveUp.signal, onProgress }), { message: 'enough' })
    assert.ok(steps.includes('dolr:found'))
    await assert.rejects(async () => dolrOf(b).sendToObj(data('?'), room, 1, { timeoutMs: 50 }), { name: 'DeadlineError' })
    await assert.rejects(dolrOf(b).locate(room, 1, { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' })
  })

  it('hosts nothing after a stop, and can host again after a start', async () => {
    const [a, b] = (await nodes(2)) as [Node, Node]
    await dolrOf(b).host(room, says('b'))
    await b.stop()
    await within(assert.rejects(dolrOf(b).locate(room), { name: 'NotReadyError' }), 'a no of a stopped node', 1_000)
    assert.throws(() => dolrOf(b).stats(), { name: 'NotReadyError' })
    await assert.rejects(dolrOf(a).locate(room), { name: 'NotFoundError' })
    await b.start()
    await ready([b])
    assert.equal(dolrOf(b).stats().publications, 0)
    await dolrOf(b).host(room, says('b again'))
    assert.equal(text(await dolrOf(a).sendToObj(data('you'), room)), 'b again to you')
  })

  it('refuses a configuration out of range when it is made', async () => {
    await assert.rejects(node({}, { roots: 0 }), { name: 'InvalidValueError' })
  })

  it('locates and sends with any key, but publishes with an Ed25519 key only, which others can check', async () => {
    const privateKey = await generateKeyPair('secp256k1')
    const services = { dolr: dolr(), overlay: overlay(pastry()) }
    const a = cleanup.add((await localNode({ services: services as never, privateKey })) as unknown as Node)
    await assert.rejects(dolrOf(a).publish(room), /privateKey is "secp256k1", allowed is an Ed25519 private key/)
    await assert.rejects(dolrOf(a).locate(room), { name: 'NotFoundError' })
  })

  it('cannot be made without an overlay', async () => {
    await assert.rejects(localNode({ services: { dolr: dolr() as never } }), { name: 'UnmetServiceDependenciesError' })
  })

  describe('as content routing', () => {
    const content = data('some content')
    const cidOf = async (bytes: Uint8Array): Promise<CID> => CID.createV1(raw, await sha256.digest(bytes))
    const providers = (of: Node, cid: CID, signal?: AbortSignal): Promise<Array<{ id: unknown }>> =>
      Array.fromAsync(of.contentRouting.findProviders(cid, signal === undefined ? {} : { signal }))
    const peerIds = async (of: Node | undefined, cid: CID): Promise<string[]> =>
      (await providers(of as Node, cid)).map(({ id }) => String(id)).toSorted()

    it('finds the provider of a CID from every other node, with addresses that anybody can dial', async () => {
      const swarm = await nodes(4)
      const [provider, ...others] = swarm
      const cid = await cidOf(content)
      await provider.contentRouting.provide(cid)
      const outsider = cleanup.add(await localNode({ services: {}, transport: 'none' }))
      for (const each of others) {
        const [found, ...more] = await Array.fromAsync(each.contentRouting.findProviders(cid))
        assert.deepEqual(more, [])
        assert(found !== undefined)
        assert.ok(found.id.equals(provider.peerId))
        assert.equal(found.routing, 'plaxton')
        const connection = await outsider.dial(found.multiaddrs)
        assert.ok(connection.remotePeer.equals(provider.peerId))
        await connection.close()
      }
    })

    it('takes one content for one object, whatever CID names it', async () => {
      const [a, b] = (await nodes(2)) as [Node, Node]
      const digest = await sha256.digest(content)
      await a.contentRouting.provide(CID.createV0(digest))
      assert.deepEqual(await peerIds(b, CID.createV1(dagPb, digest)), [String(a.peerId)])
      assert.deepEqual(await peerIds(b, CID.createV1(raw, digest)), [String(a.peerId)])
      assert.equal(guidOfContent(CID.createV1(raw, digest)), guidOf(content))
      assert.deepEqual(
        (await dolrOf(b).locate(guidOf(content))).map(({ id }) => id),
        [a.services.overlay.self.id],
      )
    })

    it('takes CIDs of other hash functions too', async () => {
      const [a, b] = (await nodes(2)) as [Node, Node]
      const cid = CID.createV1(raw, await sha512.digest(content))
      await a.contentRouting.provide(cid)
      assert.deepEqual(await peerIds(b, cid), [String(a.peerId)])
      assert.equal(guidOfContent(cid), guidOf(cid.multihash.bytes))
    })

    it('names all providers but the one who asks', async () => {
      const swarm = await nodes(5)
      // While nodes join, roots change, and what the old one knows reaches the new one a little later.
      await ready(swarm)
      await until(() => swarm.every((each) => each.services.overlay.kbr.neighborSet(4).length === 4), 'all know all')
      const [a, ...others] = swarm
      const cid = await cidOf(content)
      for (const each of swarm) await each.contentRouting.provide(cid)
      const found = await providers(a, cid)
      assert.deepEqual(found.map(({ id }) => String(id)).toSorted(), others.map(({ peerId }) => String(peerId)).toSorted())
    })

    it('names nobody when nobody provides, and rejects with the reason of the signal', async () => {
      const [a] = await nodes(2)
      assert.deepEqual(await providers(a, await cidOf(content)), [])
      await assert.rejects(providers(a, await cidOf(content), AbortSignal.abort(new Error('enough'))), { message: 'enough' })
    })

    it('withdraws what is no longer provided', async () => {
      const [a, b, c] = (await nodes(3)) as [Node, Node, Node]
      const cid = await cidOf(content)
      await a.contentRouting.provide(cid)
      await b.contentRouting.provide(cid)
      await a.contentRouting.cancelReprovide(cid)
      assert.deepEqual(await peerIds(c, cid), [String(b.peerId)])
      await b.contentRouting.cancelReprovide(cid)
      assert.deepEqual(await peerIds(c, cid), [])
    })

    it('withdraws nothing that it did not provide', async () => {
      const [a, b] = (await nodes(2)) as [Node, Node]
      const cid = await cidOf(content)
      await a.contentRouting.cancelReprovide(cid)
      await dolrOf(a).host(guidOf(content), says('a'))
      await a.contentRouting.provide(cid)
      await a.contentRouting.cancelReprovide(cid)
      assert.deepEqual(await peerIds(b, cid), [String(a.peerId)])
      assert.equal(text(await dolrOf(b).sendToObj(data('you'), guidOf(content))), 'a to you')
    })

    it('names no provider for long that has died', async () => {
      const swarm = await nodes(6)
      await ready(swarm)
      const cid = await cidOf(content)
      const victim = swarm[5] as Node
      await victim.contentRouting.provide(cid)
      await (swarm[1] as Node).contentRouting.provide(cid)
      await crash(victim)
      assert.deepEqual(await peerIds(swarm[0], cid), [String(swarm[1]?.peerId)])
    })

    it('stands beside the records of PAST on one node', async () => {
      const [a, b] = (await nodes(2)) as [Node, Node]
      const cid = await cidOf(content)
      await a.contentRouting.put(cid.bytes, data('a record'))
      await a.contentRouting.provide(cid)
      assert.equal(text(await b.contentRouting.get(cid.bytes)), 'a record')
      assert.deepEqual(await peerIds(b, cid), [String(a.peerId)])
    })
  })
})
