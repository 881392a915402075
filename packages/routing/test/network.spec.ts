import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { Network } from './network.ts'
import type { Faults } from './network.ts'
import { bytes, text } from './support.ts'

const calm: Faults = { loss: 0, latencyMs: [5, 40], detectionMs: 300, encode: false }

describe('a network of nodes', () => {
  it('takes every message to its root and every reply back, hop by hop, when nothing goes wrong', () => {
    const { sent, replies, network } = exchange(1, calm, 0)
    assert.equal(sent, 400)
    assert.ok(replies.every((reply) => reply.ok))
    assert.equal(
      network.members.reduce((sum, { node }) => sum + node.stats().timeouts, 0),
      0,
    )
  })

  for (const encode of [false, true]) {
    const kind = encode ? 'through the codec' : 'in memory'

    it(`gives each source exactly one outcome and delivers at the true root only, under loss and crashes, ${kind}`, () => {
      let failures = 0
      let sent = 0
      for (let seed = 0; seed < (encode ? 20 : 60); seed++) {
        const run = exchange(seed, { ...calm, loss: [0, 0.02, 0.1][seed % 3]!, encode }, [0, 3, 8][Math.floor(seed / 3) % 3]!)
        sent += run.sent
        failures += run.replies.filter((reply) => !reply.ok).length
      }
      assert.ok(failures <= sent / 1000, `${failures} of ${sent} failed`)
    })
  }

  it('does the same again from the same seed', () => {
    const faults = { ...calm, loss: 0.1 }
    assert.deepEqual(exchange(5, faults, 3).network.events, exchange(5, faults, 3).network.events)
  })
})

/** 300 routed messages and 100 requests between 32 nodes within 10 s, of which some crash; then everything comes to rest. */
function exchange(seed: number, faults: Faults, crashes: number) {
  const prng = Prng.fromSeed(`exchange ${seed}`)
  const ids = Array.from({ length: 32 }, (_, i) => (8 * i + prng.nextInt(8)).toString(16).padStart(2, '0'))
  const network = new Network(ids, faults, seed)
  const issued: Array<{ member: (typeof network.members)[number]; id: number }> = []

  for (const member of network.members) {
    const { onDeliver } = member.app
    member.app.onDeliver = (message, fx) => {
      assert.equal(network.root(message.key), member, `seed ${seed}: ${message.key} was delivered at ${member.ref.id}`)
      onDeliver(message, fx)
    }
  }
  for (let i = 0; i < 300; i++) {
    network.schedule(prng.nextInt(10_000), () => {
      const member = prng.pick(network.members.filter(({ alive }) => alive))!
      const key = randomGuid(prng, 8)
      const id = network.command(member, (fx) => fx.route(key, bytes(`to ${key}`), { replyWithinMs: 20_000 }))
      issued.push({ member, id })
    })
  }
  for (let i = 0; i < 100; i++) {
    network.schedule(prng.nextInt(10_000), () => {
      const [asker, asked] = prng.shuffle(network.members.filter(({ alive }) => alive))
      const id = network.command(asker!, (fx) => fx.request(asked!.ref, bytes('ask'), { withinMs: 20_000 }))
      if (crashes === 0) issued.push({ member: asker!, id })
    })
  }
  const victims = prng.shuffle(network.members).slice(0, crashes)
  for (const victim of victims) network.schedule(2_000 + prng.nextInt(6_000), () => network.crash(victim))
  network.run()

  const survivors = network.members.filter(({ alive }) => alive)
  const outcomes = survivors.flatMap(({ app }) => app.replies)
  for (const { member, id } of issued.filter(({ member }) => member.alive)) {
    const replies = member.app.replies.filter((reply) => reply.id === id)
    assert.equal(replies.length, 1, `seed ${seed}: ${member.ref.id} got ${replies.length} outcomes of ${id}`)
    assert.ok(!replies[0]!.reply.ok || /^re (to ..|ask)$/.test(text(replies[0]!.reply.payload)))
  }
  for (const { node, ref } of survivors) {
    const { inFlight, returnPaths, holding, endings, calls, openReplies, requests, responses } = node.stats()
    const left = { inFlight, returnPaths, holding, endings, calls, openReplies, requests, responses }
    assert.ok(
      Object.values(left).every((size) => size === 0),
      `seed ${seed}: ${ref.id} is left with ${JSON.stringify(left)}`,
    )
  }
  const replies = issued
    .filter(({ member }) => member.alive)
    .map(({ member, id }) => member.app.replies.find((reply) => reply.id === id)!.reply)
  return { network, sent: replies.length, replies, outcomes }
}
