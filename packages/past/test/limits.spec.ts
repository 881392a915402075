import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Reply } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { certificateBytes, removalBytes } from '../src/claims.ts'
import type { Certificate, Claim } from '../src/claims.ts'
import { decodeMessage, encodeMessage } from '../src/codec.ts'
import { PastNode, namedGuid, pastDefaults } from '../src/index.ts'
import type { PastConfig, PutRequest } from '../src/index.ts'
import type { PastMessage } from '../src/messages.ts'
import { World, bytesOf, failure, succeeded } from './world.ts'
import type { TestNode } from './world.ts'

const hour = 3_600_000

describe("a caller's mistake", () => {
  const data = bytesOf('x')
  const guid = guidOf(data)
  const mistakes: ReadonlyArray<readonly [title: string, field: string, request: PutRequest]> = [
    ['a guid that is not the digest of the data', 'guid', { guid: guidOf(bytesOf('y')), data }],
    ['a guid of 40 bits', 'guid', { guid: guid.slice(0, 10) as typeof guid, data, name: 'n' }],
    ['data that is a text', 'data', { guid, data: 'x' as unknown as Uint8Array }],
    ['data of more than 1 MiB', 'data', { guid, data: new Uint8Array(1024 * 1024 + 1) }],
    ['no replicas', 'replicas', { guid, data, replicas: 0 }],
    ['more replicas than allowed', 'replicas', { guid, data, replicas: 10 }],
    ['half a replica', 'replicas', { guid, data, replicas: 1.5 }],
    ['an unknown quorum', 'quorum', { guid, data, quorum: 'some' as 'all' }],
    ['an expiry in the past', 'expires', { guid, data, expires: 0 }],
    ['an empty name', 'name', { guid, data, name: '' }],
    ['a name of 514 bytes', 'name', { guid, data, name: 'ä'.repeat(257) }],
    ['salt without a name', 'salt', { guid, data, salt: new Uint8Array(1) }],
    ['salt of 33 bytes', 'salt', { guid, data, name: 'n', salt: new Uint8Array(33) }],
    ['no time', 'timeoutMs', { guid, data, timeoutMs: 0 }],
  ]
  for (const [title, field, request] of mistakes) {
    it(`is named at once: ${title}`, () => {
      const world = new World({ seed: 40, nodes: 1 })
      assert.throws(() => world.node(0).command((past, now, fx) => past.put(request, now, fx)), { name: 'InvalidValueError', field })
    })
  }

  it('in the configuration is named at once', () => {
    const make = (config: Partial<PastConfig>) => () => new PastNode(config, Prng.fromSeed(1))
    assert.throws(make({ replicas: 0 }), { name: 'InvalidValueError', field: 'past.replicas' })
    assert.throws(make({ replicas: 10 }), { name: 'InvalidValueError', field: 'past.replicas' })
    assert.throws(make({ smallBytes: 2000, maxObjectBytes: 1000 }), { name: 'InvalidValueError', field: 'past.smallBytes' })
    assert.throws(make({ hedgeFloorMs: 500 }), { name: 'InvalidValueError', field: 'past.hedgeFloorMs' })
    assert.deepEqual(new PastNode({}, Prng.fromSeed(1)).config, pastDefaults)
  })

  it('in the guid of a name is found once the key is known', () => {
    const world = new World({ seed: 41, nodes: 2 })
    const wrong = namedGuid('n', world.node(1).publicKey)
    assert.equal(
      failure(world.run(world.node(0), (past, now, fx) => past.put({ guid: wrong, data, name: 'n' }, now, fx)).outcome),
      'InvalidValueError',
    )
  })
})

describe('a node', () => {
  it('refuses what it has no room for, and the put says so', () => {
    const world = new World({ seed: 42, nodes: 3, config: { capacityBytes: 1000, maxObjects: 3 } })
    world.put(world.node(0), 'a'.repeat(900))
    const refused = put(world, 'b'.repeat(200))
    assert.ok(!refused.ok)
    assert.match(refused.error.message, /^stored on 0 of the 2 nodes needed \(.*room for 1000 bytes/)
    assert.equal(refused.error.name, 'QuorumError')
    world.put(world.node(0), 'c')
    world.put(world.node(0), 'd')
    const full = put(world, 'e')
    assert.ok(!full.ok)
    assert.match(full.error.message, /as many objects as it may, 3/)
    world.check()
  })

  it('makes room again when something is removed', () => {
    const world = new World({ seed: 43, nodes: 3, config: { capacityBytes: 1000 } })
    const first = world.put(world.node(0), 'a'.repeat(900))
    succeeded(world.remove(world.node(0), first))
    world.put(world.node(0), 'b'.repeat(900))
    world.check()
  })

  it('does not begin more commands than it may', () => {
    const world = new World({ seed: 44, nodes: 3, config: { maxCommands: 2 } })
    const guid = guidOf(bytesOf('?'))
    const ids = [1, 2, 3].map(() => world.node(0).command((past, now, fx) => past.get({ guid }, now, fx)))
    const third = world.node(0).outcomes.get(ids[2] ?? 0)
    assert.ok(third && !third.ok)
    assert.match(third.error.message, /^overloaded: 2 commands/)
    world.advance(10_000)
    assert.equal(world.node(0).outcomes.size, 3)
    assert.equal(world.node(0).past.stats().commands, 0)
  })

  it('that is not a member says so', () => {
    const world = new World({ seed: 45, nodes: 2 })
    world.node(0).member = false
    assert.equal(failure(world.get(world.node(0), guidOf(bytesOf('?')))), 'NotReadyError')
  })

  it('that leaves ends its commands first', () => {
    const world = new World({ seed: 46, nodes: 3 })
    world.node(1).mute = true
    world.node(2).mute = true
    const id = world.node(0).command((past, now, fx) => past.get({ guid: guidOf(bytesOf('?')) }, now, fx))
    world.node(0).leave()
    world.advance(20_000)
    assert.equal(world.node(0).up, false)
    const outcome = world.node(0).outcomes.get(id)
    assert.ok(outcome)
    assert.ok(['NotReadyError', 'NotFoundError', 'DeadlineError'].includes(failure(outcome)))
  })
})

describe('what a stranger sends', () => {
  it('is dropped and counted when it is no message', () => {
    const world = new World({ seed: 50, nodes: 2 })
    const prng = Prng.fromSeed(1)
    for (let i = 0; i < 300; i++) {
      const bytes = Uint8Array.from({ length: prng.nextInt(200) }, () => prng.nextInt(256))
      world.node(1).request(world.node(0).ref, bytes, 100)
      world.node(1).route(guidOf(bytes), bytes, { replyWithinMs: 100 })
    }
    world.advance(1000)
    assert.ok(world.node(0).past.stats().garbage >= 300)
    assert.equal(world.node(0).past.stats().inFlight, 0)
    assert.equal(world.node(0).disk.size, 0)
    world.check()
  })

  it('is not stored unless the owner has signed it', () => {
    const { world, store } = stage()
    const good = claimOn(world, 'good', {})
    assert.deepEqual(store('good', good), ['kept', ''])
    const refusals: ReadonlyArray<readonly [string, Claim, RegExp]> = [
      ['forged', { ...claimOn(world, 'forged', {}), signature: new Uint8Array(64) }, /not signed by its owner/],
      ['changed', changed(claimOn(world, 'changed', {}), { replicas: 2 }), /not signed by its owner/],
      ['other', changed(claimOn(world, 'other', {}), { guid: guidOf(bytesOf('another')) }), /a certificate is for/],
      ['digest', claimOn(world, 'digest', { contentDigest: guidOf(bytesOf('else')) }), /does not follow from the certificate/],
      ['named', claimOn(world, 'named', { kind: 'named', name: 'n' }), /does not follow from the certificate/],
      ['future', claimOn(world, 'future', { created: 10 * 60_000 }), /dated \d+ ms ahead/],
      ['expired', claimOn(world, 'expired', { expires: 1 }), /expired/],
      ['greedy', claimOn(world, 'greedy', { replicas: 10 }), /10 replicas are not 1 to 9/],
      ['size', claimOn(world, 'size', { size: 5 }), /states another size/],
      ['large', claimOn(world, 'large', { size: 2 ** 40 }), /larger than/],
    ]
    for (const [text, claim, reason] of refusals) {
      const [outcome, detail] = store(text, claim)
      assert.equal(outcome, 'refused', text)
      assert.match(detail, reason)
    }
    assert.equal(world.node(0).past.stats().objects, 1)
    assert.equal(world.node(0).past.stats().inFlight, 0)
    world.check()
  })

  it('removes nothing unless the owner has signed the removal', () => {
    const { world, store } = stage()
    const claim = claimOn(world, 'kept', {})
    assert.deepEqual(store('kept', claim), ['kept', ''])
    const guid = claim.certificate.guid
    const [, detail] = store(undefined, { ...claim, withdrawal: { removed: 100, signature: new Uint8Array(64) } })
    assert.match(detail, /not signed by its owner/)
    const signature = world.node(1).sign(removalBytes(guid, world.node(1).publicKey, 0))
    assert.match(store(undefined, { ...claim, withdrawal: { removed: 0, signature } })[1], /older than the certificate/)
    assert.equal(world.node(0).past.stats().objects, 1)
    const valid = world.node(1).sign(removalBytes(guid, world.node(1).publicKey, 100))
    assert.deepEqual(store(undefined, { ...claim, withdrawal: { removed: 100, signature: valid } }), ['kept', ''])
    assert.deepEqual([world.node(0).past.stats().objects, world.node(0).past.stats().tombstones], [0, 1])
    // The certificate, which everybody has seen, does not bring it back.
    assert.match(store('kept', claim)[1], /otherwise since/)
  })

  it('cannot make a node copy or list more than a message holds', () => {
    const world = new World({ seed: 51, nodes: 2 })
    const entries = Array.from({ length: 1000 }, (_, i) => ({ guid: guidOf(bytesOf(`${i}`)), version: i, replicas: 5 }))
    const page = { bucket: 0, after: undefined, last: true, entries }
    const reply = ask(world, world.node(1), world.node(0), { type: 'exchange', pages: [page, page], offers: [], without: [] })
    assert.equal(reply.ok, false)
    const exchanged = ask(world, world.node(1), world.node(0), { type: 'exchange', pages: [page], offers: [], without: [] })
    assert.ok(exchanged.ok)
    world.advance(60_000)
    assert.deepEqual([world.node(0).past.stats().objects, world.node(0).past.stats().inFlight], [0, 0])
  })

  it('is turned away while there is too much to do', () => {
    const world = new World({ seed: 52, nodes: 2, config: { maxWork: 4 }, diskMs: 50 })
    const claim = claimOn(world, 'x', { created: world.now })
    const { guid } = claim.certificate
    for (let i = 0; i < 50; i++) {
      world.node(1).request(world.node(0).ref, encodeMessage({ type: 'store', guid, claims: [claim], data: bytesOf('x') }), 1000)
    }
    world.advance(2000)
    assert.ok(world.node(0).past.stats().overloads > 0)
    assert.equal(world.node(0).past.stats().objects, 1)
  })
})

describe('a put of more replicas than the overlay can tell the place of', () => {
  it('is refused, and counts no smaller quorum instead', () => {
    const world = new World({ seed: 56, nodes: 12, reach: 1 })
    for (const quorum of ['majority', 'all'] as const) {
      const data = bytesOf(`far apart ${quorum}`)
      const { outcome } = world.run(world.node(0), (past, now, fx) => past.put({ guid: guidOf(data), data, quorum }, now, fx))
      assert.ok(!outcome.ok)
      assert.equal(outcome.error.name, 'QuorumError')
      assert.match(outcome.error.message, /^5 replicas cannot be promised: there are more nodes, but the root sees only which [23] are/)
      assert.deepEqual(world.holders(guidOf(data)), [])
    }
    // |L|/2 + 1 are certain.
    world.put(world.node(0), 'near', { replicas: 2, quorum: 'all' })
  })

  for (const nodes of [1, 2, 3, 4]) {
    it(`is stored on all nodes where there are no more than ${nodes}`, () => {
      const world = new World({ seed: 57, nodes, reach: 2 })
      const guid = world.put(world.node(0), 'few', { replicas: 5, quorum: 'all' })
      assert.equal(world.holders(guid).length, nodes)
    })
  }
})

describe('a busy sender', () => {
  it('gets a fourth of the work a node does at a time, and what others ask is answered all the same', () => {
    const world = new World({ seed: 54, nodes: 3, config: { maxWork: 40 }, diskMs: 50 })
    const [victim, greedy, other] = [world.node(0), world.node(1), world.node(2)]
    const guid = guidOf(bytesOf('0'))
    for (let i = 0; i < 200; i++) {
      const claim = claimOn(world, `${i}`, { created: world.now })
      const store = { type: 'store', guid: claim.certificate.guid, claims: [claim], data: bytesOf(`${i}`) } as const
      greedy.request(victim.ref, encodeMessage(store), 1000)
    }
    world.advance(11)
    assert.ok(victim.past.stats().inFlight <= 10)
    const { overloads } = victim.past.stats()
    assert.ok(overloads > 170)
    assert.ok(ask(world, other, victim, { type: 'fetch', guid, withData: false }).ok)
    world.advance(2000)
    // The share is free again.
    assert.ok(ask(world, greedy, victim, { type: 'fetch', guid, withData: true }).ok)
    assert.equal(victim.past.stats().overloads, overloads)
    assert.equal(victim.past.stats().inFlight, 0)
  })

  it('may use all of it when it is the node itself', () => {
    const world = new World({ seed: 55, nodes: 1, config: { maxWork: 80 }, diskMs: 50 })
    for (let i = 0; i < 30; i++) {
      const data = bytesOf(`${i}`)
      world.node(0).command((past, now, fx) => past.put({ guid: guidOf(data), data }, now, fx))
    }
    world.advance(2000)
    assert.equal(world.node(0).past.stats().overloads, 0)
    assert.equal(world.node(0).past.stats().objects, 30)
  })
})

function put(world: World, text: string) {
  const data = bytesOf(text)
  return world.run(world.node(0), (past, now, fx) => past.put({ guid: guidOf(data), data, timeoutMs: hour }, now, fx)).outcome
}

/** Two nodes; `store` has the second ask the first to store a claim. */
function stage() {
  const world = new World({ seed: 53, nodes: 2 })
  const store = (text: string | undefined, claim: Claim): readonly [string, string] => {
    const data = text === undefined ? undefined : bytesOf(text)
    const guid = text === undefined ? claim.certificate.guid : guidOf(bytesOf(text))
    const reply = ask(world, world.node(1), world.node(0), { type: 'store', guid, claims: [claim], data })
    assert.ok(reply.ok)
    const message = decodeMessage(reply.payload)
    assert.ok(message.type === 'stored')
    return [message.outcome, message.detail]
  }
  return { world, store }
}

/** A claim on the content object `text` by the second node, correctly signed whatever it says. */
function claimOn(world: World, text: string, more: Partial<Certificate>): Claim {
  const data = bytesOf(text)
  const guid = guidOf(data)
  const ownerKey = world.node(1).publicKey
  const certificate: Certificate = {
    guid,
    kind: 'content',
    name: '',
    salt: new Uint8Array(0),
    ownerKey,
    contentDigest: guid,
    size: data.length,
    replicas: 5,
    created: 50,
    expires: 0,
    ...more,
  }
  return { certificate, signature: world.node(1).sign(certificateBytes(certificate)) }
}

function changed(claim: Claim, more: Partial<Certificate>): Claim {
  return { ...claim, certificate: { ...claim.certificate, ...more } }
}

/** Asks directly and waits for the reply. */
function ask(world: World, from: TestNode, to: TestNode, message: PastMessage): Reply {
  const { past } = from
  const onReply = past.onReply.bind(past)
  let result: Reply | undefined
  const id = from.request(to.ref, encodeMessage(message), 5000)
  past.onReply = (requestId, reply, now, fx) => (requestId === id ? void (result = reply) : onReply(requestId, reply, now, fx))
  while (result === undefined) world.step()
  past.onReply = onReply
  return result
}
