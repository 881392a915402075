import assert from 'node:assert/strict'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer } from '@plaxton/guid'
import { verifyEd25519 } from '@plaxton/runtime'
import { isKeyOfNode, keyPortOf } from '../src/node-key.ts'

describe("a node's key", () => {
  it('signs so that whoever knows the id can check it', async () => {
    const key = await generateKeyPair('Ed25519')
    const port = await keyPortOf(key, 'privateKey', 'no hint')
    const node = { id: guidOfPeer(peerIdFromPrivateKey(key)), address: '', epoch: 1 }
    const message = Uint8Array.of(1, 2, 3)
    assert.equal(await verifyEd25519(port.publicKey, message, await port.sign(message)), true)
    assert.equal(isKeyOfNode(node, port.publicKey), true)
  })

  it('is not the key of another id, nor are bytes of another length', async () => {
    const [key, other] = [await generateKeyPair('Ed25519'), await generateKeyPair('Ed25519')]
    const { publicKey } = await keyPortOf(key, 'privateKey', 'no hint')
    const node = { id: guidOfPeer(peerIdFromPrivateKey(other)), address: '', epoch: 1 }
    assert.equal(isKeyOfNode(node, publicKey), false)
    assert.equal(isKeyOfNode(node, publicKey.subarray(1)), false)
    assert.equal(isKeyOfNode(node, new Uint8Array(0)), false)
  })

  it('of a kind whose PeerId is only a digest is refused with what to do', async () => {
    const key = await generateKeyPair('ECDSA')
    await assert.rejects(keyPortOf(key, 'privateKey', 'do this'), {
      name: 'InvalidValueError',
      message: 'privateKey is "ECDSA", allowed is an Ed25519 private key; do this',
    })
  })
})
