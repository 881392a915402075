import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Reply } from '@plaxton/kbr'
import type { RoutingConfig } from '../src/index.ts'
import { Network } from './network.ts'
import type { Faults, Member } from './network.ts'
import { bytes, text } from './support.ts'

const calm: Faults = { loss: 0, latencyMs: [5, 40], detectionMs: 300, encode: false }

describe('a network of nodes', () => {
  it('takes every message to its root and every reply back, hop by hop, when nothing goes wrong', () => {
    const { routes, requests, members } = exchange(1, {})
    assert.deepEqual([routes.length, requests.length], [300, 100])
    assert.ok([...routes, ...requests].every((reply) => reply.ok))
    assert.equal(
      members.reduce((sum, { node }) => sum + node.stats().timeouts, 0),
      0,
    )
  })

  for (const encode of [false, true]) {
    const kind = encode ? 'through the codec' : 'in memory'

    it(`gives each source exactly one outcome and delivers at the true root only, under loss, crashes and leaving, ${kind}`, () => {
      const all: Reply[] = []
      for (let seed = 0; seed < (encode ? 20 : 60); seed++) {
        const faults = { ...calm, loss: [0, 0.02, 0.1][seed % 3]!, encode }
        all.push(...exchange(seed, { faults, gone: [0, 3, 8][Math.floor(seed / 3) % 3]! }).routes)
      }
      const failures = all.filter((reply) => !reply.ok).length
      assert.ok(failures <= all.length / 1000, `${failures} of ${all.length} failed`)
    })
  }

  it('gives each source exactly one outcome even when every table is tiny', () => {
    const config = {
      inFlightMax: 2,
      heldMax: 1,
      returnPathsMax: 2,
      endingsMax: 3,
      openRepliesMax: 1,
      callsMax: 3,
      requestsMax: 2,
      responsesMax: 1,
    }
    for (let seed = 0; seed < 20; seed++) exchange(seed, { faults: { ...calm, loss: 0.05 }, gone: 4, config })
  })

  it('does the same again from the same seed', () => {
    const plan = { faults: { ...calm, loss: 0.1 }, gone: 3 }
    assert.deepEqual(exchange(5, plan).events, exchange(5, plan).events)
  })
})

interface Plan {
  readonly faults?: Faults
  /** Nodes that go, every other one without warning. */
  readonly gone?: number
  readonly config?: Partial<RoutingConfig>
}

/** 300 routed messages and 100 requests between 32 nodes within 10 s, a tenth of them answered late; then everything comes to rest. */
function exchange(seed: number, { faults = calm, gone = 0, config = {} }: Plan) {
  const prng = Prng.fromSeed(`exchange ${seed}`)
  const ids = Array.from({ length: 32 }, (_, i) => (8 * i + prng.nextInt(8)).toString(16).padStart(2, '0'))
  const network = new Network(ids, faults, seed, config)
  const { members } = network
  const routes: Array<{ member: Member; id: number }> = []
  const requests: Array<{ member: Member; id: number }> = []
  const present = () => members.filter(({ alive, left }) => alive && !left)

  for (const member of members) {
    const { onDeliver } = member.app
    member.app.onDeliver = (message, fx) => {
      assert.equal(network.root(message.key), member, `seed ${seed}: ${message.key} was delivered at ${member.ref.id}`)
      if (!prng.chance(0.1)) return onDeliver(message, fx)
      const answer = bytes(`re ${text(message.payload)}`)
      network.schedule(network.now + prng.nextInt(3000), () => {
        if (member.alive) network.command(member, (later) => later.reply(message.reply, answer))
      })
    }
  }
  for (let i = 0; i < 300; i++) {
    network.schedule(prng.nextInt(10_000), () => {
      const member = prng.pick(present())!
      const key = randomGuid(prng, 8)
      routes.push({ member, id: network.command(member, (fx) => fx.route(key, bytes(`to ${key}`), { replyWithinMs: 20_000 })) })
    })
  }
  for (let i = 0; i < 100; i++) {
    network.schedule(prng.nextInt(10_000), () => {
      const [member, asked] = prng.shuffle(present()) as [Member, Member]
      requests.push({ member, id: network.command(member, (fx) => fx.request(asked.ref, bytes('ask'), { withinMs: 20_000 })) })
    })
  }
  for (const [i, member] of prng.shuffle(members).slice(0, gone).entries()) {
    network.schedule(2_000 + prng.nextInt(6_000), () => (i % 2 === 0 ? network.crash(member) : network.leave(member)))
  }
  network.run()

  for (const { node, ref } of members.filter(({ alive }) => alive)) {
    const { inFlight, returnPaths, holding, endings, calls, openReplies, requests: asked, responses } = node.stats()
    const left = { inFlight, returnPaths, holding, endings, calls, openReplies, asked, responses }
    assert.ok(
      Object.values(left).every((size) => size === 0),
      `seed ${seed}: ${ref.id} is left with ${JSON.stringify(left)}`,
    )
  }
  // Of the nodes that stayed: whoever crashes or leaves has other worries.
  const outcomes = (of: typeof routes) =>
    of.filter(({ member }) => present().includes(member)).map(({ member, id }) => theOutcome(member, id, seed))
  for (const { member, id } of [...routes, ...requests]) if (member.alive) theOutcome(member, id, seed)
  return { members, events: network.events, routes: outcomes(routes), requests: outcomes(requests) }
}

function theOutcome(member: Member, id: number, seed: number): Reply {
  const outcomes = member.app.replies.filter((reply) => reply.id === id)
  assert.equal(outcomes.length, 1, `seed ${seed}: ${member.ref.id} got ${outcomes.length} outcomes of ${id}`)
  const { reply } = outcomes[0]!
  assert.ok(!reply.ok || /^re (to ..|ask)$/.test(text(reply.payload)))
  return reply
}
