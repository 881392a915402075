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
  const store = new StoreNetwork(ground, ground.nodes)
  return {
    row: 'security',
    claim:
      'Addresses of IP are safe to go by only where all nodes are trusted. An overlay can be secure among strangers, because ids and objects prove themselves.',
    findings: [await forgedIds(ground.seed), tamperedCopies(store), tamperedObjects(store), foreignRemovals(store), forgedRemovals(store)],
    notBuilt: [
      'Nodes that route wrongly or drop what passes, tables filled with accomplices, and many ids for one attacker are not resisted yet beyond what the services retry.',
    ],
  }
}

/** Whether references that others hand on are judged rightly, as the nodes on libp2p judge them: true ones, ids of the attacker's choice, and other people's ids. */
async function forgedIds(seed: number): Promise<Finding> {
  const prng = Prng.fromSeed(`${seed}/peers`)
  const refs = new NodeRefs()
  const peers = await Promise.all(Array.from({ length: peerCount }, () => peer(prng)))
  const believed = (id: Guid, peerId: PeerId) => refs.read(id, `/ip4/192.0.2.1/tcp/4001/p2p/${peerId.toString()}`, 1) !== undefined
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
  const read = objects(store).filter((object) => {
    for (const host of store.ledger.holders(object.guid).slice(1)) tamper(store, host, object)
    return store.read(object)
  }).length
  const { wrong } = judge(store)
  return {
    experiment: `${objectCount} objects with ${replicas} copies, a byte changed in all copies but one; each read from a node without a copy`,
    figure: `${read} read, ${wrong} with other bytes than were put`,
    bound: 'all read, none with other bytes',
    holds: read === objectCount && wrong === 0,
  }
}

/** All copies are changed. */
function tamperedObjects(store: StoreNetwork): Finding {
  const read = objects(store).filter((object) => {
    for (const host of store.ledger.holders(object.guid)) tamper(store, host, object)
    return store.read(object)
  }).length
  return {
    experiment: `${objectCount} objects, a byte changed in every copy`,
    figure: `${read} accepted, ${objectCount - read} refused`,
    bound: 'all refused',
    holds: read === 0,
  }
}

/** Somebody else signs a removal with a key of his own. */
function foreignRemovals(store: StoreNetwork): Finding {
  return removals(store, 'another node removes it, signing with its own key', (object, thief, remove) => {
    remove({ ...object, owner: thief })
  })
}

/** Somebody else says he is the owner, and cannot sign. */
function forgedRemovals(store: StoreNetwork): Finding {
  const { simulator } = store.world.simulation
  return removals(store, "another node removes it in the owner's name, with a signature it made up", (object, thief, remove) => {
    const { keys } = simulator
    const [owner, forger] = [object.owner, thief].map((node) => ownerName(node.host, 'past')) as [string, string]
    const sign = keys.sign.bind(keys)
    const signature = Uint8Array.from({ length: 64 }, () => store.prng.nextInt(256))
    keys.sign = (name, message) =>
      name === forger ? { kind: 'signed', signature, publicKey: keys.publicKeyOf(owner) } : sign(name, message)
    remove({ ...object, owner: thief })
    keys.sign = sign
  })
}

function removals(
  store: StoreNetwork,
  how: string,
  attempt: (object: LedgerObject, thief: SimNode, remove: (as: LedgerObject) => void) => void,
): Finding {
  let refused = 0
  let readable = 0
  for (const object of objects(store)) {
    const before = store.ledger.counts.removesOk
    const thief = store.anyMember([object.owner.host.index])
    attempt(object, thief, (as) => {
      store.ledger.remove(as)
      store.world.simulation.run(15_000)
    })
    if (store.ledger.counts.removesOk === before) refused++
    if (store.read(object)) readable++
  }
  return {
    experiment: `${objectCount} objects; ${how}`,
    figure: `${refused} refused, ${readable} still read`,
    bound: 'all refused, all still read',
    holds: refused === objectCount && readable === objectCount,
  }
}

const objectCount = 10

function objects(store: StoreNetwork): LedgerObject[] {
  return Array.from({ length: objectCount }, () => store.put())
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

/** Reads that gave other bytes than were put, so far. */
function judge(store: StoreNetwork): { readonly wrong: number } {
  return { wrong: store.violations.byCheck().get('reads give what was put') ?? 0 }
}
