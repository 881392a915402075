import assert from 'node:assert/strict'
import { shortGuid } from '@plaxton/guid'
import type { KbrCase, KbrContext, KbrMember } from './kbr-network.ts'
import { memberOf, rootOf } from './kbr-network.ts'
import type { Upcall } from './kbr-probe.ts'
import { newTag, textBytes } from './kbr-probe.ts'
import { anyKey, assertAllArrive, assertArrived, foreignKey, send, sendAll, someKeys } from './kbr-send.ts'

/** `route`, `deliver` and `forward` with its five decisions. */
export const routingCases: readonly KbrCase[] = [
  {
    title: 'takes a message for any key, from any node, to its root and nowhere else, once',
    run: async (context) => {
      const { network, prng } = context
      const keys = someKeys(context, 6, 10)
      await assertAllArrive(context, keys, prng.shuffle(network.members).slice(0, 8))
    },
  },
  {
    title: 'asks forward on the source, on every node of the way and on the root before deliver, and tells the way',
    run: async (context) => {
      const { network, prng } = context
      const letters = Array.from({ length: 16 }, () => ({ from: prng.pick(network.members)!, key: anyKey(network, prng), keepPath: true }))
      for (const sent of await sendAll(network, letters)) {
        assertArrived(context, sent)
        assertWay(sent.upcalls)
        assert.equal(sent.upcalls[0]!.at.id, sent.from.self.id, 'forward is first asked on the source')
        const hops = sent.upcalls.length - 2
        const way = sent.upcalls.slice(0, -1).map(({ at }) => at.id)
        assert.equal(sent.reply.ok && sent.reply.hops, hops, 'a reply tells the hops of the message')
        assert.deepEqual(sent.reply.path, way, 'a reply tells the path when asked to')
      }
    },
  },
  {
    title: 'wants no reply unless asked: the handle is 0 then, and nothing comes back',
    run: async (context) => {
      const { network, prng } = context
      const from = prng.pick(network.members)!
      const key = anyKey(network, prng)
      const payload = newTag()
      const before = from.probe.replies.size
      assert.equal(
        from.command((fx) => fx.route(key, payload)),
        0,
        'route returns 0 when no reply is wanted',
      )
      await network.until(() => network.journal.of(payload).some(({ kind }) => kind === 'deliver'), 'the delivery', network.patienceMs)
      const upcalls = network.journal.of(payload)
      assert.equal(upcalls.at(-1)!.at.id, rootOf(context, key).self.id)
      for (const { reply } of upcalls) assert.equal(reply, 0)
      await send(network, { from, key })
      assert.equal(from.probe.replies.size, before + 1)
    },
  },
  {
    title: 'forward stops a message on the source, on the way and on the root: it ends there, and is answered from there',
    run: (context) =>
      everywhere(context, async ({ from, key, firstHop, where, isThere }) => {
        const { network } = context
        network.journal.decide = (message, fx) => {
          if (!isThere(message)) return { action: 'continue' }
          fx.reply(message.reply, textBytes(`stopped on the ${where}`))
          return { action: 'stop' }
        }
        const { reply, upcalls } = await send(network, { from, key, ...firstHop })
        assert(upcalls.length > 0 && isThere(upcalls.at(-1)!), `it went on after it was stopped on the ${where}`)
        assert(
          upcalls.every(({ kind }) => kind === 'forward'),
          'it was delivered although it was stopped',
        )
        assert.deepEqual(reply.ok && reply.payload, textBytes(`stopped on the ${where}`))
      }),
  },
  {
    title: 'forward stops a message and answers later',
    run: async ({ network, prng }) => {
      const from = prng.pick(network.members)!
      let stopped: Upcall | undefined
      network.journal.decide = (message) => {
        stopped = message
        return { action: 'stop' }
      }
      const payload = newTag()
      const id = from.command((fx) => fx.route(anyKey(network, prng), payload, { replyWithinMs: 10_000 }))
      await network.until(() => stopped !== undefined, 'forward', network.patienceMs)
      assert.equal(from.probe.replies.has(id), false)
      memberOf({ network }, stopped!.at.id).command((fx) => fx.reply(stopped!.reply, textBytes('later')))
      await network.until(() => from.probe.replies.has(id), 'the reply', network.patienceMs)
      const reply = from.probe.replies.get(id)!
      assert.deepEqual(reply.ok && reply.payload, textBytes('later'))
    },
  },
  {
    title: 'forward rejects a message on the source, on the way and on the root: the source is told why',
    run: (context) =>
      everywhere(context, async ({ from, key, firstHop, where, isThere }) => {
        const { network } = context
        network.journal.decide = (message) =>
          isThere(message) ? { action: 'reject', reason: `not on my ${where}` } : { action: 'continue' }
        const { reply, upcalls } = await send(network, { from, key, ...firstHop })
        assert(!reply.ok, 'a rejected message was answered')
        assert.equal(reply.failure.reason, 'rejected by application')
        assert.match(reply.failure.detail, new RegExp(`not on my ${where}`))
        assert(
          upcalls.every(({ kind }) => kind === 'forward'),
          'it was delivered although it was rejected',
        )
      }),
  },
  {
    title: 'forward replaces the payload on the source, on the way and on the root: whoever comes after sees the new one',
    run: (context) =>
      everywhere(context, async ({ from, key, firstHop, isThere }) => {
        const { network } = context
        let replacement: Uint8Array | undefined
        network.journal.decide = (message) => {
          if (replacement !== undefined || !isThere(message)) return { action: 'continue' }
          replacement = Uint8Array.from([...message.payload, ...textBytes(' and more')])
          return { action: 'replace', payload: replacement }
        }
        const sent = await send(network, { from, key, ...firstHop })
        assertArrived(context, sent, replacement)
        const changedAt = sent.upcalls.findIndex(isThere)
        for (const [i, upcall] of sent.upcalls.entries()) assert.deepEqual(upcall.payload, i > changedAt ? replacement : sent.payload)
      }),
  },
  {
    title: 'forward redirects a message on the source and on the root: it passes the node named, and still gets to its root',
    from: 3,
    run: async (context) => {
      const { network, prng } = context
      for (const where of ['source', 'root'] as const) {
        const from = prng.pick(network.members)!
        const key = foreignKey(context, from)
        const root = rootOf(context, key)
        const detour = network.members.find((member) => member !== from && member !== root)!
        const turn = (where === 'source' ? from : root).self
        let redirected: Upcall | undefined
        network.journal.decide = (message) => {
          if (redirected !== undefined || message.at.id !== turn.id) return { action: 'continue' }
          redirected = message
          return { action: 'redirect', nextHop: detour.self }
        }
        const sent = await send(network, { from, key })
        assertArrived(context, sent)
        const next = sent.upcalls[sent.upcalls.indexOf(redirected!) + 1]!
        assert.equal(next.at.id, detour.self.id, `redirected on the ${where}, it never came to the node named`)
        assert.equal(next.previousHop.id, turn.id)
      }
    },
  },
  {
    title: 'takes the first hop that the source asks for',
    from: 3,
    run: async (context) => {
      const { network, prng } = context
      for (const hint of prng.shuffle(network.members).slice(0, 3)) {
        const from = network.members.find((member) => member !== hint)!
        const sent = await send(network, { from, key: foreignKey(context, from), firstHop: hint.self })
        assertArrived(context, sent)
        assertWay(sent.upcalls)
        assert.equal(sent.upcalls[0]!.nextHop?.id, hint.self.id)
        assert.equal(sent.upcalls[1]!.at.id, hint.self.id)
      }
    },
  },
  {
    title: 'never takes a first hop that the source excludes',
    from: 3,
    run: async (context) => {
      const { network, prng } = context
      for (let i = 0; i < 5; i++) {
        const from = prng.pick(network.members)!
        const key = foreignKey(context, from)
        const usual = (await send(network, { from, key })).upcalls[0]!.nextHop!.id
        const other = await send(network, { from, key, avoid: [usual] })
        assert.notEqual(other.upcalls[0]?.nextHop?.id, usual)
        if (other.reply.ok) assertArrived(context, other)
        else assert.equal(other.reply.failure.reason, 'no route')
      }
    },
  },
  {
    title: 'brings back the first answer only, or why there is none',
    run: async ({ network, prng }) => {
      const from = prng.pick(network.members)!
      const key = anyKey(network, prng)
      network.journal.deliver = (message, fx) => {
        fx.reply(message.reply, textBytes('first'))
        fx.reply(message.reply, textBytes('second'))
        fx.refuse(message.reply, 'third')
      }
      const answered = (await send(network, { from, key })).reply
      assert.deepEqual(answered.ok && answered.payload, textBytes('first'))
      network.journal.deliver = (message, fx) => fx.refuse(message.reply, 'closed on Sundays')
      const refused = (await send(network, { from, key })).reply
      assert(!refused.ok)
      assert.equal(refused.failure.reason, 'rejected by application')
      assert.match(refused.failure.detail, /closed on Sundays/)
      assert.deepEqual(network.journal.wrongs, [])
    },
  },
]

interface Place {
  readonly where: 'source' | 'way' | 'root'
  readonly from: KbrMember
  readonly key: ReturnType<typeof anyKey>
  /** Makes it pass a node that is neither source nor root. */
  readonly firstHop: { readonly firstHop?: KbrMember['self'] }
  readonly isThere: (message: Upcall) => boolean
}

/** Shows it on the source, on a node of the way and on the root, as far as the network has such nodes. */
async function everywhere(context: KbrContext, show: (place: Place) => Promise<void>): Promise<void> {
  const { network, prng } = context
  const { members } = network
  for (const where of ['source', 'way', 'root'] as const) {
    if (where === 'way' && members.length < 3) continue
    const from = prng.pick(members)!
    const key = members.length === 1 ? anyKey(network, prng) : foreignKey(context, from)
    const root = rootOf(context, key)
    const between = members.find((member) => member !== from && member !== root)
    const place = where === 'source' ? from : where === 'root' ? root : between!
    await show({
      where,
      from,
      key,
      firstHop: where === 'way' ? { firstHop: between!.self } : {},
      isThere: ({ kind, at }) => kind === 'forward' && at.id === place.self.id,
    })
    network.journal.reset()
  }
}

/** Throws unless the upcalls of a message make one unbroken way: each node is the next hop that the one before was shown. */
function assertWay(upcalls: readonly Upcall[]): void {
  const forwards = upcalls.slice(0, -1)
  const last = upcalls.at(-1)!
  for (const [i, upcall] of forwards.entries()) {
    assert.equal(upcall.kind, 'forward', `upcall ${i} of ${upcalls.length} is ${upcall.kind}`)
    assert.equal(upcall.hops, i, 'the hops count the transmissions')
    const before = forwards[i - 1]
    assert.equal(upcall.previousHop.id, (before ?? upcall).at.id, 'previousHop is who sent it; the source itself at first')
    assert.equal(
      upcall.nextHop?.id,
      forwards[i + 1]?.at.id,
      `on ${shortGuid(upcall.at.id)} forward was shown another next hop than it took`,
    )
  }
  assert.equal(last.kind, 'deliver')
  assert.equal(last.at.id, forwards.at(-1)?.at.id, 'forward is asked on the root before deliver')
  assert.equal(last.hops, forwards.length - 1)
}
