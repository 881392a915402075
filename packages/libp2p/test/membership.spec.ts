import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer } from '@plaxton/guid'
import { RouteError } from '@plaxton/kbr'
import type { Logger } from '@libp2p/interface'
import type { NodeRef, RouteFailureReason } from '@plaxton/kbr'
import { Membership } from '../src/membership.ts'
import { Cleanup } from './support/swarm.ts'

/** A node of which there is nothing but the decision how it becomes a member, and who may be asked about it. */
interface Peer {
  readonly ref: NodeRef
  readonly membership: Membership
  /** Through whom it became a member; nobody: alone. */
  joined: readonly NodeRef[] | undefined
}

/** Nodes that have no addresses and get to know each other at once; the first `failures` questions of each come to nothing after 20 ms. */
async function strangers(count: number, failures: number, reason: RouteFailureReason): Promise<Peer[]> {
  const peers: Peer[] = []
  for (let i = 0; i < count; i++) {
    const peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const ref = { id: guidOfPeer(peerId), address: `peer-${i}`, epoch: 1 }
    let left = failures
    const membership = new Membership(
      {
        self: peerId,
        log: Object.assign(() => {}, { error: () => {}, trace: () => {} }) as unknown as Logger,
        connect: () => Promise.reject(new Error('there are no addresses')),
        ask: async (node) => {
          const asked = peers.find((each) => each.ref.id === node.id)!
          await new Promise((resolve) => setTimeout(resolve, 20))
          if (left-- > 0) throw new RouteError({ reason, detail: 'no answer', at: undefined })
          return { self: asked.ref, closest: asked.membership.onAsked(ref), member: asked.joined !== undefined }
        },
        knows: () => true,
        findSelf: () => Promise.reject(new Error('nobody is looked for')),
        join: async (bootstrap) => {
          peer.joined = bootstrap
        },
        meet: () => {},
      },
      [],
    )
    const peer: Peer = { ref, membership, joined: undefined }
    peers.push(peer)
  }
  for (const { membership } of peers) for (const { ref } of peers) membership.onAsked(ref)
  return peers
}

describe('how nodes that start together become members', () => {
  const cleanup = new Cleanup()
  afterEach(() => cleanup.run())

  async function founders(peers: readonly Peer[]): Promise<Peer[]> {
    for (const { membership } of peers) cleanup.add(membership)
    await Promise.all(peers.map(({ membership }) => membership.start()))
    return peers.filter(({ joined }) => joined?.length === 0)
  }

  it('one of them goes ahead, the one with the smallest id, and the others join through it', async () => {
    const peers = await strangers(4, 0, 'timed out')
    const smallest = peers.toSorted((a, b) => (a.ref.id < b.ref.id ? -1 : 1))[0]
    assert.deepEqual(await founders(peers), [smallest])
  })

  it('nobody else goes ahead because those asked are too busy to answer in time', async () => {
    assert.equal((await founders(await strangers(4, 20, 'timed out'))).length, 1)
  })

  it('each goes ahead when there is no way to the others', async () => {
    assert.equal((await founders(await strangers(2, Infinity, 'no route'))).length, 2)
  })
})
