import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer, randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { NodeRefs } from '@plaxton/libp2p'
import { ownerName } from '@plaxton/simulator'
import type { PeerId } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { LedgerObject, SimNode } from '@plaxton/simulator'
import type { Exhibit, Finding, Ground } from './exhibit.ts'
import { StoreNetwork, replicas } from './stored.ts'

/** What those who mean harm can do to ids and to objects. */
export async function security(ground: Ground): Promise<Exhibit> {
  const store = new StoreNetwork(ground)
  return {
    row: 'security',
    claim:
      'Addresses of IP are safe to go by only where all nodes are trusted. An overlay can be secure among strangers, because ids and objects prove themselves.',
    findings: [await forgedIds(ground.seed), tamperedCopies(store), tamperedObjects(store), foreignRemovals(store), forgedRemovals(store)],
    notBuilt: [
      'No exhibit yet for nodes that route wrongly or drop what passes, for tables filled with accomplices, and for one attacker with many ids.',
    ],
  }
}

/** Whether references that others hand on are judged rightly, as the nodes on libp2p judge them: true ones, ids of the attacker's choice, and other people's ids. */
async function forgedIds(seed: number): Promise<Finding> {
  const prng = Prng.fromSeed(`${seed}/peers`)
  const peers = await Promise.all(Array.from({ length: peerCount }, () => peer(prng)))
  // Each is judged by somebody who has never heard of that peer.
  const believed = (id: Guid, peerId: PeerId) =>
    new NodeRefs().read(id, `/ip4/192.0.2.1/tcp/4001/p2p/${peerId.toString()}`, 1) !== undefined
  const honest = peers.filter((peerId) => believed(guidOfPeer(peerId), peerId)).length
  const chosen = peers.filter((peerId) => believed(randomGuid(prng), peerId)).length
  const borrowed = peers.filter((peerId, i) => believed(guidOfPeer(peers[(i + 1) % peers.length]!), peerId)).length
  return {
    experiment: `${peerCount} peers of libp2p, each named with its own id, with an id of its choice, and with that of another peer`,
    figure: `believed: ${honest} of ${peerCount} true ids, ${chosen} chosen ones, ${borrowed} of others`,
    bound: 'all true ones and no other',
    holds: honest === peerCount && chosen + borrowed === 0,
  }
}

const peerCount = 50

async function peer(prng: Prng): Promise<PeerId> {
  const seed = Uint8Array.from({ length: 32 }, () => prng.nextInt(256))
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed))
}

/** All copies but one are changed on their disks. */
function tamperedCopies(store: StoreNetwork): Finding {
  const read = store.putMany().filter((object) => {
    for (const host of store.ledger.holders(object.guid).slice(1)) tamper(store, host, object)
    return store.read(object)
  }).length
  const wrong = store.violations.byCheck().get('reads give what was put') ?? 0
  return {
    experiment: `${store.samples} objects with ${replicas} copies, a byte changed in all copies but one; each read from a node without a copy`,
    figure: `${read} read, ${wrong} with other bytes than were put`,
    bound: 'all read, none with other bytes',
    holds: read === store.samples && wrong === 0,
  }
}

/** All copies are changed. */
function tamperedObjects(store: StoreNetwork): Finding {
  const read = store.putMany().filter((object) => {
    for (const host of store.ledger.holders(object.guid)) tamper(store, host, object)
    return store.read(object)
  }).length
  return {
    experiment: `${store.samples} objects, a byte changed in every copy`,
    figure: `${read} accepted, ${store.samples - read} refused`,
    bound: 'all refused',
    holds: read === 0,
  }
}

/** Somebody else signs a removal with a key of his own. */
function foreignRemovals(store: StoreNetwork): Finding {
  return removals(store, 'another node removes it, signing with its own key', ({ owner }) => store.anyMember([owner.host.index]))
}

/** Somebody joins who says he is the owner, and has the owner's public key but not the other. */
function forgedRemovals(store: StoreNetwork): Finding {
  return removals(store, "a newcomer removes it in the owner's name, with a signature it made up", ({ owner }) => {
    const { simulation } = store.world
    const { keys } = simulation.simulator
    const publicKey = keys.publicKeyOf(ownerName(owner.host, 'past'))
    const forger = simulation.addNode()
    const name = ownerName(forger.host, 'past')
    const sign = keys.sign.bind(keys)
    keys.sign = (signer, message) =>
      signer === name ? { kind: 'signed', signature: store.randomBytes(64), publicKey } : sign(signer, message)
    simulation.runUntil(() => forger.ready, joinMs)
    return forger
  })
}

/** Longer than a join takes. */
const joinMs = 60_000

function removals(store: StoreNetwork, how: string, chooseThief: (object: LedgerObject) => SimNode): Finding {
  const before = store.ledger.counts.removesOk
  let readable = 0
  for (const object of store.putMany()) {
    store.remove(object, chooseThief(object))
    if (store.read(object)) readable++
  }
  const removed = store.ledger.counts.removesOk - before
  return {
    experiment: `${store.samples} objects; ${how}`,
    figure: `${store.samples - removed} refused, ${readable} still read`,
    bound: 'all refused, all still read',
    holds: removed === 0 && readable === store.samples,
  }
}

/** Changes a byte of the copy on this host, behind the back of the node. */
function tamper({ world }: StoreNetwork, host: number, { guid }: LedgerObject): void {
  const { disk } = world.simulation.nodes[host]!.host
  const bytes = Uint8Array.from(disk.get(`d/${guid}`)!)
  bytes[0]! ^= 1
  const write = { kind: 'write', entries: [[`d/${guid}`, bytes]] } as const
  disk.ask(write)
  disk.answer(write)
}
