import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer } from '@plaxton/guid'
import { kademlia } from '@plaxton/kademlia'
import { generatePuzzleKey, NodeRefs, overlay, solvesPuzzle } from '../src/index.ts'
import { Cleanup, localNode, until } from './support/swarm.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { OverlayInit, OverlayService } from '../src/index.ts'

const bits = 6

/** The hash of the hash of the public key, by the book. */
const zerosOf = (key: PrivateKey): number => {
  const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  const digest = Array.from(hash(hash(peerIdFromPrivateKey(key).toMultihash().bytes)), (byte) => byte.toString(2).padStart(8, '0')).join('')
  return digest.indexOf('1')
}

/** A key that does not solve the puzzle. */
async function cheapKey(): Promise<PrivateKey> {
  for (;;) {
    const key = await generateKeyPair('Ed25519')
    if (zerosOf(key) < bits) return key
  }
}

describe('the static crypto puzzle', function () {
  this.timeout(60_000)
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  const start = async (privateKey: PrivateKey, init: OverlayInit): Promise<Libp2p<{ overlay: OverlayService }>> =>
    cleanup.add(await localNode({ privateKey, services: { overlay: overlay(kademlia(), init) } }))

  it('is solved by the keys that are made for it, and judged by the hash of the id', async () => {
    for (const wanted of [0, 1, bits]) {
      const key = await generatePuzzleKey(wanted)
      assert.ok(zerosOf(key) >= wanted)
    }
    const key = await cheapKey()
    const id = guidOfPeer(peerIdFromPrivateKey(key))
    assert.deepEqual([solvesPuzzle(id, zerosOf(key)), solvesPuzzle(id, zerosOf(key) + 1)], [true, false])
  })

  it('is no longer searched when the caller has given up', async () => {
    await assert.rejects(generatePuzzleKey(32, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
  })

  it('decides which references count', async () => {
    const [dear, cheap] = [peerIdFromPrivateKey(await generatePuzzleKey(bits)), peerIdFromPrivateKey(await cheapKey())]
    const address = (peer: typeof dear): string => `/ip4/10.0.0.1/tcp/1/p2p/${peer.toString()}`
    const refs = new NodeRefs(64, bits)
    assert.equal(refs.read(guidOfPeer(dear), address(dear), 5)?.address, address(dear))
    assert.equal(refs.read(guidOfPeer(cheap), address(cheap), 5), undefined)
    assert.equal(refs.rejected, 1)
    assert.ok(new NodeRefs().read(guidOfPeer(cheap), address(cheap), 5) !== undefined)
  })

  it('keeps those out who have not solved it', async () => {
    const first = await start(await generatePuzzleKey(bits), { puzzleBits: bits })
    const bootstrap = first.getMultiaddrs()
    const second = await start(await generatePuzzleKey(bits), { puzzleBits: bits, bootstrap })
    await until(() => second.services.overlay.ready, 'the second is a member')
    const intruder = await start(await cheapKey(), { bootstrap })
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    assert.ok(!intruder.services.overlay.ready)
    for (const { services } of [first, second]) assert.equal(services.overlay.kbr.neighborSet(10).length, 1)
  })

  it('is to be solved by the own key, and has a range', async () => {
    const key = await cheapKey()
    await assert.rejects(start(key, { puzzleBits: bits }), { code: 'ERR_INVALID_VALUE', message: /generatePuzzleKey/ })
    await assert.rejects(start(key, { puzzleBits: 33 }), { code: 'ERR_INVALID_VALUE', message: /puzzleBits/ })
  })
})
