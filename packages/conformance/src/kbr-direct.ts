import assert from 'node:assert/strict'
import { InvalidValueError } from '@plaxton/kbr'
import type { Reply } from '@plaxton/kbr'
import type { KbrCase, KbrContext, KbrMember } from './kbr-network.ts'
import { rootOf } from './kbr-network.ts'
import { bytesText, newTag, textBytes } from './kbr-probe.ts'
import { anyKey, foreignKey } from './kbr-send.ts'

/** Questions between two nodes, sizes of messages, and waits that end. */
export const directCases: readonly KbrCase[] = [
  {
    title: 'lets nodes ask and tell each other and themselves directly',
    run: async ({ network, prng }) => {
      const from = prng.pick(network.members)!
      for (const to of network.members.slice(0, 4)) {
        const reply = await request({ network }, from, to, textBytes('question'))
        assert.deepEqual(reply.ok && bytesText(reply.payload), 'question')
        const asked = network.journal.asked.at(-1)!
        assert.deepEqual([asked.at.id, asked.from.id], [to.self.id, from.self.id])
        assert.notEqual(asked.reply, 0)
        const tag = newTag()
        from.command((fx) => fx.tell(to.self, tag))
        const told = () => network.journal.asked.filter(({ payload }) => bytesText(payload) === bytesText(tag))
        await network.until(() => told().length > 0, 'what was told', network.patienceMs)
        assert.deepEqual([told()[0]!.at.id, told()[0]!.from.id, told()[0]!.reply], [to.self.id, from.self.id, 0])
      }
    },
  },
  {
    title: 'brings a refusal back with its reason',
    run: async ({ network, prng }) => {
      const [from, to] = [prng.pick(network.members)!, prng.pick(network.members)!]
      network.journal.request = ({ reply }, fx) => fx.refuse(reply, 'ask somebody else')
      const reply = await request({ network }, from, to, textBytes('question'))
      assert(!reply.ok)
      assert.equal(reply.failure.reason, 'rejected by application')
      assert.match(reply.failure.detail, /ask somebody else/)
    },
  },
  {
    title: 'carries payloads from 0 bytes to the limit, routed, asked and answered',
    run: async (context) => {
      const { network, prng } = context
      const from = prng.pick(network.members)!
      for (const size of sizes(network.payloadBytesMax)) {
        const payload = noise(size)
        const key = network.members.length === 1 ? anyKey(network, prng) : foreignKey(context, from)
        const root = rootOf(context, key)
        network.journal.deliver = (message, fx) => fx.reply(message.reply, message.payload)
        const id = from.command((fx) => fx.route(key, payload, { replyWithinMs: 20_000 }))
        await network.until(() => from.probe.replies.has(id), `${size} bytes there and back`, 22_000)
        assertBytes(from.probe.replies.get(id)!, payload, 'routed')
        assertBytes(await request(context, from, root, payload), payload, 'asked')
        network.journal.reset()
      }
    },
  },
  {
    title: 'refuses a payload above the limit at once, with the field and what is allowed',
    run: async ({ network, prng }) => {
      const from = prng.pick(network.members)!
      const payload = new Uint8Array(network.payloadBytesMax + 1)
      const calls = [
        () => from.command((fx) => void fx.route(anyKey(network, prng), payload)),
        () => from.command((fx) => void fx.request(from.self, payload, { withinMs: 1_000 })),
        () => from.command((fx) => fx.tell(from.self, payload)),
        () => from.command((fx) => fx.reply(1, payload)),
      ]
      for (const call of calls) {
        assert.throws(
          call,
          (error) =>
            error instanceof InvalidValueError && error.field === 'payload' && error.allowed.includes(String(network.payloadBytesMax)),
        )
      }
    },
  },
  {
    title: 'refuses a key of another width, and waits out of range, at once',
    run: async ({ network, prng }) => {
      const from = prng.pick(network.members)!
      const key = anyKey(network, prng)
      const invalid = { name: 'InvalidValueError' }
      assert.throws(() => from.command((fx) => fx.route(key.slice(2) as typeof key, newTag())), invalid)
      for (const ms of [0, -1, 1.5, Number.NaN, Infinity]) {
        assert.throws(() => from.command((fx) => fx.route(key, newTag(), { replyWithinMs: ms })), invalid)
        assert.throws(() => from.command((fx) => fx.request(from.self, newTag(), { withinMs: ms })), invalid)
      }
    },
  },
  {
    title: 'ends every wait in its time when nobody answers, and says so',
    run: async ({ network, prng }) => {
      const [from, to] = [prng.pick(network.members)!, prng.pick(network.members)!]
      network.journal.deliver = () => {}
      network.journal.request = () => {}
      const routed = from.command((fx) => fx.route(anyKey(network, prng), newTag(), { replyWithinMs: 400 }))
      const asked = from.command((fx) => fx.request(to.self, newTag(), { withinMs: 400 }))
      const { replies } = from.probe
      await network.until(() => replies.has(routed) && replies.has(asked), 'the end of two waits of 400 ms', 400 + lateMs)
      for (const id of [routed, asked]) {
        const reply = replies.get(id)!
        assert(!reply.ok)
        assert.equal(reply.failure.reason, 'timed out')
        assert(reply.failure.detail.length > 0)
        assert(reply.elapsedMs >= 400, `it gave up after ${reply.elapsedMs} ms`)
      }
    },
  },
  {
    title: 'ends a question to a node that is gone, in its time',
    from: 2,
    changes: true,
    run: async (context) => {
      const { network } = context
      const [from, gone] = [network.members[0]!, network.members.at(-1)!]
      await network.crash([gone])
      const id = from.command((fx) => fx.request(gone.self, newTag(), { withinMs: 3_000 }))
      await network.until(() => from.probe.replies.has(id), 'the end of a question to a dead node', 3_000 + lateMs)
      const reply = from.probe.replies.get(id)!
      assert(!reply.ok)
      assert(['no route', 'timed out'].includes(reply.failure.reason), reply.failure.reason)
      await network.restart(gone)
    },
  },
]

/** A wait may end this much later than it should: a busy machine's pause. */
const lateMs = 3_000

async function request({ network }: Pick<KbrContext, 'network'>, from: KbrMember, to: KbrMember, payload: Uint8Array): Promise<Reply> {
  const id = from.command((fx) => fx.request(to.self, payload, { withinMs: 20_000 }))
  await network.until(() => from.probe.replies.has(id), 'the response', 22_000)
  return from.probe.replies.get(id)!
}

/** Around the places where frames are cut, queued or kept differently, as far as one knows from outside. */
function sizes(max: number): number[] {
  return [0, 1, 127, 128, 4_096, 4_097, 16_384, 65_535, 65_536, max - 1, max].filter((size) => size <= max)
}

function noise(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8)) & 255)
}

function assertBytes(reply: Reply, expected: Uint8Array, how: string): void {
  assert(reply.ok, `${expected.length} bytes, ${how}: ${reply.ok ? '' : reply.failure.detail}`)
  assert(equal(reply.payload, expected), `${expected.length} bytes, ${how}, came back as ${reply.payload.length} others`)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
