import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { guidOfPeer } from '@plaxton/guid'
import { NodeRefs, formatNodeAddress, multiaddrsOfAddress, peerIdOfAddress } from '../src/node-address.ts'
import type { PeerId } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'

describe('node addresses', () => {
  let peer: PeerId
  let stranger: PeerId
  let id: Guid
  let name: string
  let otherName: string

  before(async () => {
    peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    stranger = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    id = guidOfPeer(peer)
    name = peer.toString()
    otherName = stranger.toString()
  })

  it('are multiaddrs that end in the PeerId, separated by commas', () => {
    const address = formatNodeAddress(peer, [multiaddr('/ip4/10.0.0.1/tcp/1'), multiaddr(`/ip4/10.0.0.1/tcp/2/ws/p2p/${name}`)])
    assert.equal(address, `/ip4/10.0.0.1/tcp/1/p2p/${name},/ip4/10.0.0.1/tcp/2/ws/p2p/${name}`)
    assert.deepEqual(multiaddrsOfAddress(address).map(String), address.split(','))
    assert.ok(peerIdOfAddress(address).equals(peer))
  })

  it('name the bare PeerId when there is nothing to dial', () => {
    const address = formatNodeAddress(peer, [])
    assert.equal(address, `/p2p/${name}`)
    assert.deepEqual(multiaddrsOfAddress(address), [])
    assert.ok(peerIdOfAddress(address).equals(peer))
  })

  it('keep within 1024 characters, the first multiaddrs first', () => {
    const long = Array.from({ length: 30 }, (_, i) => multiaddr(`/dns4/${'a'.repeat(60)}.example/tcp/${i + 1}`))
    const address = formatNodeAddress(peer, long)
    assert.ok(address.length <= 1024)
    assert.ok(address.startsWith(`${String(long[0])}/p2p/`))
  })

  it('are accepted with the id that is the SHA-256 of their PeerId, and the reference is shared', () => {
    const refs = new NodeRefs()
    const address = `/ip4/10.0.0.1/tcp/1/p2p/${name}`
    const ref = refs.read(id, address, 5)
    assert.deepEqual(ref, { id, address, epoch: 5 })
    assert.equal(refs.read(id, address, 5), ref)
    assert.equal(refs.read(id, address, 6)?.epoch, 6)
    assert.equal(refs.read(id, address, 5)?.epoch, 5)
    assert.equal(refs.rejected, 0)
  })

  it('of an incarnation that is yet to come are refused, give or take what clocks differ', () => {
    const refs = new NodeRefs()
    const address = `/ip4/10.0.0.1/tcp/1/p2p/${name}`
    assert.equal(refs.read(id, address, Date.now() + 7_200_000), undefined)
    assert.equal(refs.read(id, address, 2 ** 52), undefined)
    assert.equal(refs.rejected, 2)
    assert.ok(refs.read(id, address, Date.now() + 60_000))
  })

  it('behind a relay are accepted, for the last PeerId counts', () => {
    const address = `/ip4/10.0.0.1/tcp/1/p2p/${otherName}/p2p-circuit/p2p/${name}`
    assert.equal(new NodeRefs().read(id, address, 1)?.address, address)
  })

  const forgeries: Array<[string, () => string]> = [
    ['of another peer', () => `/ip4/10.0.0.1/tcp/1/p2p/${otherName}`],
    ['of two peers', () => `/ip4/10.0.0.1/tcp/1/p2p/${otherName},/ip4/10.0.0.1/tcp/1/p2p/${name}`],
    ['without a PeerId', () => '/ip4/10.0.0.1/tcp/1'],
    ['with a PeerId that does not come last', () => `/p2p/${name}/ip4/10.0.0.1`],
    ['that is empty', () => ''],
    ['with an empty part', () => `,/p2p/${name}`],
    ['that is no multiaddr', () => `/nonsense/p2p/${name}`],
    ['of more than six multiaddrs', () => Array(7).fill(`/ip4/1.1.1.1/tcp/1/p2p/${name}`).join(',')],
    ['of more than 1024 characters', () => `/dns4/${'a'.repeat(1000)}/tcp/1/p2p/${name}`],
    ['with a PeerId spelt in another base', () => `/ip4/10.0.0.1/tcp/1/p2p/${peer.toCID().toString()}`],
  ]
  for (const [what, address] of forgeries) {
    it(`are refused with an id when it is an address ${what}`, () => {
      const refs = new NodeRefs()
      assert.equal(refs.read(id, address(), 1), undefined)
      assert.equal(refs.rejected, 1)
    })
  }

  it('refuses a known address under another id', () => {
    const refs = new NodeRefs()
    const address = `/ip4/10.0.0.1/tcp/1/p2p/${name}`
    refs.read(id, address, 1)
    assert.equal(refs.read(guidOfPeer(stranger), address, 1), undefined)
  })
})
