import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { guid, Recorder, ref } from '@plaxton/testbed'
import { encodeJoinPayload } from '../src/codec.ts'
import type { PastryConfig, PastryMessage } from '../src/index.ts'
import { pastryConfig } from '../src/config.ts'
import { PastryNode } from '../src/pastry-node.ts'

const quiet: Partial<PastryConfig> = { leafSetSize: 4, seekRounds: 0 }

/** A node and its sink, driven by hand; ids of 8 bits. */
class Bench {
  readonly node: PastryNode
  readonly fx = new Recorder()
  now = 1_000

  constructor(id: string, config: Partial<PastryConfig> = quiet) {
    this.node = new PastryNode(ref(id), pastryConfig(config), Prng.fromSeed(id))
  }

  /** A member of a ring in which `others` have spoken to it. */
  static member(id: string, others: readonly string[], config?: Partial<PastryConfig>): Bench {
    const bench = new Bench(id, config)
    bench.node.join([], bench.now, bench.fx)
    for (const other of others) bench.receive(ref(other), { type: 'heartbeat' })
    for (const other of others) bench.node.onContact(ref(other), bench.now, bench.fx)
    bench.settle()
    bench.fx.take()
    return bench
  }

  receive(from: NodeRef, message: PastryMessage): string[] {
    this.node.onContact(from, this.now, this.fx)
    this.node.onMessage(from, message, this.now, this.fx)
    return []
  }

  timer(kind: string, arg = 0): void {
    this.node.onTimer(kind, arg, this.now, this.fx)
  }

  neighbors(): string[] {
    return this.node.neighborSet(64).map(({ id }) => id)
  }

  /** Lets every probe that is under way be answered by a node that knows what this one knows. */
  settle(): void {
    for (let sent = this.sentProbes(); sent.length > 0; sent = this.sentProbes()) {
      for (const { to, seq } of sent)
        this.receive(ref(to), this.reply(seq, [this.node.self.id, ...this.neighbors().filter((id) => id !== to)]))
    }
  }

  reply(seq: number, leafSet: readonly string[], member = true): PastryMessage {
    return { type: 'leaf-reply', seq, member, leafSet: leafSet.map((id) => ref(id)), failed: [], hints: [] }
  }

  sentProbes(): Array<{ to: string; seq: number }> {
    return this.fx.take().flatMap((effect) => {
      if (effect.type !== 'send' || effect.message.type !== 'leaf-probe') return []
      return [{ to: effect.to, seq: (effect.message as PastryMessage & { seq: number }).seq }]
    })
  }
}

const probe = (leafSet: readonly string[], member = true): PastryMessage => ({
  type: 'leaf-probe',
  seq: 1,
  member,
  leafSet: leafSet.map((id) => ref(id)),
  failed: [],
  lost: 'none',
  rttMs: 40,
})

describe('PastryNode', () => {
  describe('joining, step by step', () => {
    it('asks its bootstrap node, confirms the leaf set, claims it, and is a member when all have agreed', () => {
      const bench = new Bench('85')
      const { fx } = bench
      bench.node.join([ref('00')], bench.now, fx)
      assert.deepEqual(fx.sent(), ['00 join-request'])

      // Its root 80 knows 00, 40 and c0.
      const leafSet = [ref('00'), ref('40'), ref('c0')]
      bench.receive(ref('80'), { type: 'join-state', attempt: 1, hops: 1, root: true, leafSet, rows: [], neighborhood: [] })
      const confirming = bench.sentProbes()
      assert.deepEqual(confirming.map(({ to }) => to).sort(), ['00', '40', '80', 'c0'])
      assert.deepEqual(bench.neighbors(), [], 'nobody enters the leaf set on hearsay')
      for (const { to, seq } of confirming)
        bench.receive(
          ref(to),
          bench.reply(
            seq,
            ['00', '40', '80', 'c0'].filter((id) => id !== to),
          ),
        )
      assert.equal(bench.node.ready, false)

      const claiming = bench.sentProbes()
      assert.deepEqual(claiming.map(({ to }) => to).sort(), ['00', '40', '80', 'c0'])
      for (const { to, seq } of claiming.slice(1))
        bench.receive(
          ref(to),
          bench.reply(
            seq,
            ['00', '40', '80', '85', 'c0'].filter((id) => id !== to),
          ),
        )
      assert.equal(bench.node.nextHop(guid('85'), 0, new Set()).action, 'hold', 'one has not agreed yet')
      const [last] = claiming as [{ to: string; seq: number }]
      bench.now += 30
      fx.take()
      bench.receive(
        ref(last.to),
        bench.reply(
          last.seq,
          ['00', '40', '85', 'c0'].filter((id) => id !== last.to),
        ),
      )
      assert.equal(bench.node.ready, true)
      const effects = fx.take()
      assert.ok(effects.some((effect) => effect.type === 'ready'))
      assert.ok(effects.some((effect) => effect.type === 'event' && effect.event.type === 'ready' && effect.event.elapsedMs === 30))
    })

    it('probes whoever the answers name, before it claims anything', () => {
      const bench = new Bench('85')
      bench.node.join([ref('80')], bench.now, bench.fx)
      bench.receive(ref('80'), { type: 'join-state', attempt: 1, hops: 0, root: true, leafSet: [], rows: [], neighborhood: [] })
      const [first] = bench.sentProbes() as [{ to: string; seq: number }]
      bench.receive(ref('80'), bench.reply(first.seq, ['87']))
      const next = bench.sentProbes()
      assert.deepEqual(
        next.map(({ to }) => to),
        ['87'],
      )
      assert.equal(bench.node.ready, false)
    })

    it('says to others that it is no member while it confirms, and that it is one when it claims', () => {
      const bench = new Bench('85')
      bench.node.join([ref('80')], bench.now, bench.fx)
      bench.receive(ref('80'), { type: 'join-state', attempt: 1, hops: 0, root: true, leafSet: [], rows: [], neighborhood: [] })
      const claims = (): boolean[] =>
        bench.fx
          .take()
          .flatMap((effect) =>
            effect.type === 'send' && effect.message.type === 'leaf-probe'
              ? [(effect.message as PastryMessage & { member: boolean }).member]
              : [],
          )
      const before = bench.fx.take()
      assert.ok(
        before.some(
          (effect) =>
            effect.type === 'send' &&
            effect.message.type === 'leaf-probe' &&
            !(effect.message as PastryMessage & { member: boolean }).member,
        ),
      )
      bench.receive(ref('80'), bench.reply(1, []))
      assert.deepEqual(claims(), [true])
    })

    it('does not count the answer of a member that had not heard of the claim', () => {
      const bench = new Bench('85')
      bench.node.join([ref('80')], bench.now, bench.fx)
      bench.receive(ref('80'), { type: 'join-state', attempt: 1, hops: 0, root: true, leafSet: [], rows: [], neighborhood: [] })
      const [first] = bench.sentProbes() as [{ to: string; seq: number }]
      bench.receive(ref('80'), bench.reply(first.seq, []))
      bench.receive(ref('80'), bench.reply(first.seq, []))
      assert.equal(bench.node.ready, false)
    })
  })

  describe('as a node on the way of a join', () => {
    const payload = encodeJoinPayload({ purpose: 'join', joiner: ref('85'), attempt: 2 })

    it('routes the join of whoever asks, once it is a member itself', () => {
      const bench = Bench.member('00', ['80'])
      bench.receive(ref('85'), { type: 'join-request', purpose: 'join', attempt: 2 })
      const [effect] = bench.fx.take()
      assert.ok(effect?.type === 'route' && effect.key === '85')

      const outsider = new Bench('10')
      outsider.receive(ref('85'), { type: 'join-request', purpose: 'join', attempt: 2 })
      assert.deepEqual(outsider.fx.sent(), ['85 join-refusal'])
    })

    it('sends the joiner its share and lets the join go on; at the root it sends its leaf set', () => {
      const bench = Bench.member('00', ['80', '40', 'c0', '0f'])
      assert.equal(bench.node.forwardOwn(guid('85'), payload, 0, ref('80'), bench.now, bench.fx), true)
      const [passing] = bench.fx.take()
      assert.ok(passing?.type === 'send' && passing.to === '85')
      const share = passing.message as PastryMessage & { type: 'join-state' }
      assert.deepEqual([share.root, share.leafSet.length, share.rows.map(({ id }) => id)], [false, 0, ['40', '80', 'c0']])

      bench.node.forwardOwn(guid('85'), payload, 2, undefined, bench.now, bench.fx)
      const [arrived] = bench.fx.take()
      assert.ok(arrived?.type === 'send')
      const last = arrived.message as PastryMessage & { type: 'join-state' }
      assert.deepEqual([last.root, last.leafSet.length, last.attempt], [true, 4, 2])
    })

    it('stands in for the root when the next hop is the joiner itself', () => {
      const bench = Bench.member('80', ['85'])
      assert.equal(bench.node.forwardOwn(guid('85'), payload, 1, ref('85'), bench.now, bench.fx), false)
      assert.deepEqual(bench.fx.sent(), ['85 join-state'])
    })

    it('drops what it cannot read, and a join for somebody else', () => {
      const bench = Bench.member('80', [])
      for (const [key, bytes] of [
        ['85', new Uint8Array(3)],
        ['86', payload],
      ] as const) {
        assert.equal(bench.node.forwardOwn(guid(key), bytes, 1, undefined, bench.now, bench.fx), false)
        const [effect] = bench.fx.take()
        assert.ok(effect?.type === 'event' && effect.event.type === 'dropped')
      }
    })
  })

  describe('watching its neighbours', () => {
    it('tells its left neighbour that it lives, and nobody else', () => {
      const bench = Bench.member('80', ['90', '70', '60', 'a0'])
      bench.timer('heartbeat')
      assert.deepEqual(bench.fx.sent(), ['70 heartbeat'])
    })

    it('probes its right neighbour when nothing has come from it for a period and a timeout', () => {
      const bench = Bench.member('80', ['90', '70'])
      bench.timer('heartbeat')
      bench.fx.take()
      bench.now += 30_000
      bench.timer('heartbeat')
      assert.deepEqual(bench.fx.sent(), ['70 heartbeat'])
      bench.now += 30_000
      bench.timer('heartbeat')
      assert.deepEqual(bench.fx.sent(), ['70 heartbeat', '90 leaf-probe'])
    })

    it('takes any message for a sign of life', () => {
      const bench = Bench.member('80', ['90', '70'])
      for (let i = 0; i < 5; i++) {
        bench.timer('heartbeat')
        bench.now += 30_000
        bench.node.onContact(ref('90'), bench.now, bench.fx)
      }
      assert.ok(!bench.fx.sent().includes('90 leaf-probe'))
    })

    it('suspects, asks three times, then takes the peer to be dead and tells its leaf set', () => {
      const bench = Bench.member('80', ['90', '70'])
      const { fx, node } = bench
      node.suspect(ref('90'), bench.now, fx)
      assert.equal(node.nextHop(guid('90'), 0, new Set()).action, 'hold')
      for (let i = 0; i < 3; i++) {
        const effects = fx.take()
        assert.ok(effects.some((effect) => effect.type === 'send' && effect.to === '90' && effect.message.type === 'leaf-probe'))
        const timer = effects.find((effect) => effect.type === 'timer' && effect.kind === 'probe')
        assert.ok(timer?.type === 'timer')
        bench.now += timer.delayMs
        bench.timer('probe', timer.arg)
      }
      const effects = fx.take()
      assert.ok(effects.some((effect) => effect.type === 'failed' && effect.id === '90'))
      assert.ok(effects.some((effect) => effect.type === 'neighbor' && effect.id === '90' && !effect.joined))
      assert.equal(node.nextHop(guid('90'), 0, new Set()).action, 'deliver')

      bench.timer('failure-notice')
      const notice = fx.take().find((effect) => effect.type === 'send')
      assert.ok(notice?.type === 'send' && notice.to === '70')
      assert.deepEqual((notice.message as PastryMessage & { type: 'leaf-probe' }).failed, ['90'])
    })

    it('tells nobody of a failure that it heard of from others', () => {
      const bench = Bench.member('80', ['90', '70'])
      const said = { ...probe(['80', '90']), failed: [guid('90')] } as PastryMessage
      bench.receive(ref('70'), said)
      bench.node.onPeerDown(ref('90'), 'unreachable', bench.now, bench.fx)
      assert.deepEqual(bench.neighbors(), ['70'])
      assert.ok(!bench.fx.take().some((effect) => effect.type === 'timer' && effect.kind === 'failure-notice'))

      // Or that somebody else has told meanwhile.
      const other = Bench.member('80', ['90', '70'])
      other.node.suspect(ref('90'), other.now, other.fx)
      other.node.onPeerDown(ref('90'), 'unreachable', other.now, other.fx)
      assert.ok(other.fx.take().some((effect) => effect.type === 'timer' && effect.kind === 'failure-notice'))
      other.receive(ref('70'), said)
      other.fx.take()
      other.timer('failure-notice')
      assert.deepEqual(other.fx.sent(), [])
    })

    it('acquits a suspect that says anything, and sends it what was held', () => {
      const bench = Bench.member('80', ['90'])
      bench.node.suspect(ref('90'), bench.now, bench.fx)
      bench.fx.take()
      bench.node.onContact(ref('90'), bench.now, bench.fx)
      assert.deepEqual(bench.fx.take(), [{ type: 'recovered', id: '90' }])
      assert.equal(bench.node.nextHop(guid('90'), 0, new Set()).action, 'forward')
    })

    it('does not take a peer for dead whose answers are lost but who is otherwise heard from', () => {
      const bench = Bench.member('80', ['90'])
      bench.node.suspect(ref('90'), bench.now, bench.fx)
      for (let seq = 0; seq < 40; seq++) {
        bench.node.onContact(ref('90'), bench.now, bench.fx)
        bench.timer('probe', seq)
      }
      assert.deepEqual(bench.neighbors(), ['90'])
    })

    it('takes a peer for dead at once when connecting to it fails twice', () => {
      const bench = Bench.member('80', ['90'])
      bench.node.onPeerDown(ref('90'), 'unreachable', bench.now, bench.fx)
      assert.deepEqual(bench.neighbors(), ['90'])
      bench.node.onPeerDown(ref('90'), 'unreachable', bench.now, bench.fx)
      assert.deepEqual(bench.neighbors(), [])
    })

    it('looks for itself when others say that a neighbour is dead, and not again shortly after an answer', () => {
      const bench = Bench.member('80', ['90', '70'])
      const said = { ...probe([]), failed: [guid('90')] } as PastryMessage
      bench.receive(ref('70'), said)
      const [sent] = bench.sentProbes() as [{ to: string; seq: number }]
      assert.equal(sent.to, '90')
      assert.ok(bench.neighbors().includes('90'))
      bench.receive(ref('90'), bench.reply(sent.seq, ['80', '70']))
      bench.fx.take()
      bench.receive(ref('70'), said)
      assert.deepEqual(bench.sentProbes(), [])
    })
  })

  describe('believing others', () => {
    it('probes whom it hears of, and takes in who answers', () => {
      const bench = Bench.member('80', ['90'])
      bench.receive(ref('90'), probe(['80', '84']))
      assert.deepEqual(bench.neighbors(), ['90'])
      const [sent] = bench.sentProbes() as [{ to: string; seq: number }]
      assert.equal(sent.to, '84')
      bench.receive(ref('84'), bench.reply(sent.seq, ['80', '90']))
      assert.deepEqual(bench.neighbors(), ['84', '90'])
    })

    it('does not look for a dead node again because of gossip, until some time has passed', () => {
      const bench = Bench.member('80', ['90', '84'])
      bench.node.onPeerDown(ref('84'), 'unreachable', bench.now, bench.fx)
      bench.node.onPeerDown(ref('84'), 'unreachable', bench.now, bench.fx)
      bench.fx.take()
      bench.receive(ref('90'), probe(['80', '84']))
      assert.deepEqual(bench.sentProbes(), [])
      bench.now += 60_000
      bench.receive(ref('90'), probe(['80', '84']))
      assert.deepEqual(
        bench.sentProbes().map(({ to }) => to),
        ['84'],
      )
    })

    it('takes a dead node back when it hears from it directly', () => {
      const bench = Bench.member('80', ['90', '84'])
      bench.node.onPeerDown(ref('84'), 'unreachable', bench.now, bench.fx)
      bench.node.onPeerDown(ref('84'), 'unreachable', bench.now, bench.fx)
      bench.fx.take()
      bench.receive(ref('84'), probe(['80', '90']))
      assert.deepEqual(bench.neighbors(), ['84', '90'])
    })

    it('lets a new incarnation take the place of the old, and ignores the old from then on', () => {
      const bench = Bench.member('80', ['90'])
      bench.receive(ref('90', 2), { type: 'heartbeat' })
      assert.equal(bench.node.neighborSet(1)[0]?.epoch, 2)
      bench.fx.take()
      bench.receive(ref('90', 1), { type: 'heartbeat' })
      bench.receive(ref('90', 1), { type: 'leave', leafSet: [] })
      assert.equal(bench.node.neighborSet(1)[0]?.epoch, 2)
    })

    it('drops a restarted node that is not a member yet, but not a member of whom a late message says so', () => {
      const bench = Bench.member('80', ['90', '70'])
      bench.receive(ref('90', 1), probe([], false))
      assert.ok(bench.neighbors().includes('90'))
      bench.receive(ref('90', 2), probe([], false))
      assert.ok(!bench.neighbors().includes('90'))
    })

    it('prefers the nearer of two nodes for a slot, and the incumbent when they are equally near', () => {
      const bench = Bench.member('00', [], { ...quiet, leafSetSize: 2 })
      for (const id of ['10', 'f0', '80', '8f']) bench.receive(ref(id), { type: 'distance', rttMs: 50, member: true })
      const hop = (): string => {
        const next = bench.node.nextHop(guid('88'), 0, new Set())
        return next.action === 'forward' ? next.to.id : next.action
      }
      assert.equal(hop(), '80')
      // Its own measurement counts; what the other end reports afterwards does not.
      bench.node.onRoundTrip(ref('8f'), 10, bench.now, bench.fx)
      bench.receive(ref('8f'), { type: 'distance', rttMs: 1, member: true })
      assert.equal(hop(), '8f')
      assert.deepEqual([bench.node.measuredMs(ref('8f')), bench.node.measuredMs(ref('80'))], [10, undefined])
    })
  })

  describe('facing strangers', () => {
    it('does not grow by what they send', () => {
      const prng = Prng.fromSeed('strangers')
      const bench = Bench.member('8000', [], { leafSetSize: 16 })
      const some = (count: number): NodeRef[] =>
        Array.from({ length: count }, () => ref(prng.nextInt(65_536).toString(16).padStart(4, '0')))
      for (let i = 0; i < 3_000; i++) {
        bench.now += 10
        const [from] = some(1) as [NodeRef]
        const message = prng.pick<PastryMessage>([
          { ...probe([]), leafSet: some(64), failed: some(64).map(({ id }) => id) } as PastryMessage,
          { type: 'leaf-reply', seq: i, member: true, leafSet: some(64), failed: [], hints: some(8) },
          { type: 'state-reply', member: true, row: 99, refs: some(512), leafSet: some(64), neighborhood: some(64) },
          { type: 'state-request', row: 4_000_000_000, leafSet: true, refs: some(512) },
          { type: 'slot-request', row: 4_000_000_000, column: 4_000_000_000 },
          { type: 'slot-reply', row: 4_000_000_000, column: 0, refs: some(512) },
          { type: 'join-state', attempt: 1, hops: 0, root: true, leafSet: some(64), rows: some(512), neighborhood: some(64) },
          { type: 'announcement', rttMs: 4_294_967_295, refs: some(512) },
          { type: 'leave', leafSet: some(64) },
        ])!
        bench.receive(from, message)
        assert.ok(bench.fx.take().length < 200)
        bench.node.assertInvariants()
      }
      assert.ok(bench.neighbors().length <= 16)
    })

    it('drops messages of nodes whose ids have another width', () => {
      const bench = Bench.member('80', [])
      bench.receive(ref('8000'), { type: 'heartbeat' })
      const [effect] = bench.fx.take()
      assert.ok(effect?.type === 'event' && effect.event.type === 'dropped')
      bench.receive(ref('90'), probe(['8000', '80', '90']))
      assert.deepEqual(bench.fx.sent(), ['90 leaf-reply'])
    })
  })

  it('leaves with its leaf set as a parting gift, and the others close the gap', () => {
    const bench = Bench.member('80', ['90', '70'])
    bench.node.leave(bench.now, bench.fx)
    assert.deepEqual(bench.fx.sent().sort(), ['70 leave', '90 leave'])

    const other = Bench.member('90', ['80'])
    other.receive(ref('80'), { type: 'leave', leafSet: [ref('70'), ref('90')] })
    assert.deepEqual(other.neighbors(), [])
    assert.deepEqual(other.fx.sent(), ['70 leaf-probe'])
  })
})
