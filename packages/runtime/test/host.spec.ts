import assert from 'node:assert/strict'
import type { Answer, AppEffects, KbrEvent, Question } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import type { KeyPort, Link, StorePort } from '../src/index.ts'
import { MemoryNetwork, NodeHost, ed25519Key, memoryStore, verifyEd25519 } from '../src/index.ts'
import { ManualClock } from './manual-clock.ts'
import { HeldStore, LooseLink, Toy, refOf, textBytes } from './toy.ts'

describe('NodeHost', () => {
  let network: MemoryNetwork
  let key: KeyPort
  const started: NodeHost[] = []
  before(async () => {
    key = await ed25519Key(new Uint8Array(32).fill(1))
  })
  beforeEach(() => {
    network = new MemoryNetwork()
  })
  afterEach(async () => {
    await Promise.all(started.splice(0).map((host) => host.stop()))
  })

  function make(link: Link, toy = new Toy(), store: StorePort = memoryStore()): { host: NodeHost; toy: Toy } {
    const host = new NodeHost({ overlay: pastry(), link, seed: link.self.address })
    started.push(host.use(toy, { store, key }))
    return { host, toy }
  }

  /** A running node; with `via` a member of its network, alone when it is empty. */
  async function run(name: string, via: NodeHost[] = []): Promise<{ host: NodeHost; toy: Toy }> {
    const made = make(network.link(refOf(name)))
    await made.host.start()
    await made.host.join(via.map(({ self }) => self))
    return made
  }

  const ask = (host: NodeHost, toy: Toy, ...questions: Question[]): void =>
    host.command(toy, (_, fx) => questions.forEach((question, token) => fx.ask(token, question)))

  describe('in the order of its life', () => {
    it('starts the applications, joins, routes, leaves and stops', async () => {
      const a = await run('a')
      const b = await run('b', [a.host])
      assert.ok(a.host.ready && b.host.ready)
      assert.equal(a.toy.log[0], 'start')
      await a.toy.saw('joined memory:b')
      a.host.command(a.toy, (_, fx) => fx.route(b.host.self.id, textBytes('hello'), { replyWithinMs: 1000 }))
      await a.toy.saw('reply memory:b')
      assert.ok(b.toy.log.includes('deliver hello'))
      await b.host.leave()
      await a.toy.saw('gone memory:b')
      await b.host.stop()
      assert.equal(b.host.ready, false)
    })

    it('finds the root of a key by asking the others itself', async () => {
      const first = await run('0')
      const hosts = [first.host]
      for (let i = 1; i < 8; i++) hosts.push((await run(String(i), [first.host])).host)
      for (const asker of hosts) {
        for (const target of hosts) {
          const { root, nodes, asked } = await asker.lookup(target.self.id, { width: 3 })
          assert.equal(root.id, target.self.id)
          assert.equal(nodes[0]?.id, target.self.id)
          assert.ok(asked >= 1 && asked <= hosts.length)
        }
      }
    })

    it('ends a lookup with the reason of its signal, and refuses an option out of its range', async () => {
      const { host } = await run('a')
      await assert.rejects(host.lookup(host.self.id, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
      await assert.rejects(host.lookup(host.self.id, { alpha: 0 }), { code: 'ERR_INVALID_VALUE', field: /alpha/ })
    })

    it('refuses what comes at the wrong time', async () => {
      const { host, toy } = make(network.link(refOf('a')))
      assert.throws(() => host.node, { code: 'ERR_NOT_READY' })
      assert.throws(() => host.command(toy, () => {}), { code: 'ERR_NOT_READY' })
      await assert.rejects(host.join([]), { code: 'ERR_NOT_READY' })
      await host.start()
      await assert.rejects(host.start(), { code: 'ERR_NOT_READY' })
      assert.throws(() => host.use(new Toy('late'), { store: memoryStore(), key }), { code: 'ERR_NOT_READY' })
      await host.stop()
      await assert.rejects(host.start(), { code: 'ERR_NOT_READY' })
      await assert.rejects(host.leave(), { code: 'ERR_NOT_READY' })
    })

    it('leaves once; afterwards it neither leaves again nor joins', async () => {
      const a = await run('a')
      const b = await run('b', [a.host])
      await Promise.all([b.host.leave(), b.host.leave()])
      await b.host.leave()
      await assert.rejects(b.host.join([a.host.self]), { code: 'ERR_NOT_READY' })
    })

    it('closes its link again when it cannot start', async () => {
      const link = new LooseLink(refOf('a'))
      const host = new NodeHost({ overlay: pastry(), link, routing: { hopLimit: -1 } })
      await assert.rejects(host.start(), { name: 'InvalidValueError', field: 'routing.hopLimit' })
      assert.equal(link.closed, true)
    })

    it('refuses two applications of one name', () => {
      const { host } = make(network.link(refOf('a')))
      assert.throws(() => host.use(new Toy(), { store: memoryStore(), key }), { name: 'InvalidValueError', field: 'application' })
    })

    it('says the key an application signs with', () => {
      const { host, toy } = make(network.link(refOf('a')))
      assert.deepEqual(host.publicKey(toy), key.publicKey)
      assert.throws(() => host.publicKey(new Toy('stranger')), { name: 'InvalidValueError' })
    })

    it('stops by `await using`', async () => {
      const link = new LooseLink(refOf('a'))
      {
        await using host = new NodeHost({ overlay: pastry(), link })
        await host.start()
      }
      assert.equal(link.closed, true)
    })

    it('can be stopped while it starts', async () => {
      const { host } = make(network.link(refOf('a')))
      const starting = host.start()
      const stopping = host.stop()
      await assert.rejects(starting, { code: 'ERR_NOT_READY' })
      await stopping
    })
  })

  describe('joining', () => {
    it('ends with the reason of the signal', async () => {
      const { host } = make(new LooseLink(refOf('a')))
      await host.start()
      const controller = new AbortController()
      const joining = host.join([refOf('silent')], { signal: controller.signal })
      controller.abort(new Error('enough'))
      await assert.rejects(joining, /enough/)
      await assert.rejects(host.join([refOf('silent')], { signal: AbortSignal.abort(new Error('never')) }), /never/)
    })

    it('ends when the host stops', async () => {
      const { host } = make(new LooseLink(refOf('a')))
      await host.start()
      const joining = host.join([refOf('silent')])
      await Promise.all([assert.rejects(joining, { code: 'ERR_NOT_READY' }), host.stop()])
    })

    it('is done at once for a node that is a member already', async () => {
      const { host } = await run('a')
      await host.join([refOf('silent')])
    })

    it('rejects with the reason when joining failed for good', async () => {
      const clock = new ManualClock(1_000_000)
      const host = new NodeHost({ overlay: pastry(), link: new LooseLink(refOf('a')), seed: 'a', clock })
      started.push(host)
      await host.start()
      const joining = host.join([refOf('silent')])
      const refused = assert.rejects(
        joining,
        (error: Error) => error.name === 'NotReadyError' && error.message.startsWith('joining failed: '),
      )
      clock.advance(600_000)
      await refused
    })
  })

  describe('telling events', () => {
    it('dispatches typed events after the step, never inside it', async () => {
      const { host } = make(network.link(refOf('a')))
      await host.start()
      let inStep = true
      const seen: string[] = []
      host.events.addEventListener('ready', ({ detail }) => void seen.push(`${detail.type} ${inStep}`))
      const joining = host.join([])
      inStep = false
      await joining
      assert.deepEqual(seen, ['ready false'])
    })

    it('hands every event to observers until they end', async () => {
      const { host, toy } = await run('a')
      const seen: KbrEvent[] = []
      const end = host.observe((event) => void seen.push(event))
      const tell = (fx: AppEffects): void => fx.emit({ type: 'toy:waves' })
      host.command(toy, (_, fx) => tell(fx))
      await Promise.resolve()
      end()
      host.command(toy, (_, fx) => tell(fx))
      await Promise.resolve()
      assert.deepEqual(seen, [{ type: 'toy:waves' }])
    })

    it('goes on when an observer or a listener throws, which is an uncaught exception as anywhere', async () => {
      const { host, toy } = await run('a')
      const uncaught: string[] = []
      const mochas = process.rawListeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const both = new Promise<void>((resolve) => {
        process.on('uncaughtException', (error) => uncaught.push(error.message) === 2 && resolve())
      })
      try {
        const seen: string[] = []
        host.observe(({ type }) => {
          if (type === 'toy:waves') throw new Error('careless observer')
        })
        host.observe(({ type }) => void seen.push(type))
        host.events.addEventListener('toy:waves', () => {
          throw new Error('careless listener')
        })
        host.command(toy, (_, fx) => fx.emit({ type: 'toy:waves' }))
        await both
        assert.deepEqual(uncaught.toSorted(), ['careless listener', 'careless observer'])
        assert.deepEqual(seen, ['toy:waves'])
        host.command(toy, (_, fx) => fx.route(host.self.id, textBytes('still here')))
        assert.ok(toy.log.includes('deliver still here'))
      } finally {
        process.removeAllListeners('uncaughtException')
        for (const listener of mochas) process.on('uncaughtException', listener as (error: Error) => void)
      }
    })
  })

  describe('answering questions', () => {
    it('reads, writes and lists its store and keeps two applications apart in one', async () => {
      const store = memoryStore()
      const { host, toy } = make(network.link(refOf('a')), new Toy('one'), store)
      const other = new Toy('two')
      host.use(other, { store, key })
      await host.start()
      ask(host, toy, {
        kind: 'write',
        entries: [
          ['k', textBytes('of one')],
          ['k2', textBytes('x')],
        ],
      })
      ask(host, other, { kind: 'write', entries: [['k', textBytes('of two')]] })
      await Promise.all([toy.saw('answer 0'), other.saw('answer 0')])
      ask(host, toy, { kind: 'read', key: 'k' }, { kind: 'list', prefix: 'k' }, { kind: 'read', key: 'missing' })
      await toy.saw('answer 2')
      assert.deepEqual(toy.answers, [
        [0, { kind: 'written' }],
        [0, { kind: 'read', bytes: textBytes('of one') }],
        [
          1,
          {
            kind: 'listed',
            entries: [
              ['k', textBytes('of one')],
              ['k2', textBytes('x')],
            ],
          },
        ],
        [2, { kind: 'read', bytes: undefined }],
      ])
    })

    it('signs with the key of the application and verifies with any', async () => {
      const { host, toy } = make(network.link(refOf('a')))
      await host.start()
      const message = textBytes('promise')
      const signature = await key.sign(message)
      const { publicKey } = key
      ask(
        host,
        toy,
        { kind: 'sign', message },
        { kind: 'verify', publicKey, message, signature },
        { kind: 'verify', publicKey, message: textBytes('other'), signature },
      )
      await Promise.all([toy.saw('answer 0'), toy.saw('answer 1'), toy.saw('answer 2')])
      assert.deepEqual(Object.fromEntries(toy.answers), {
        0: { kind: 'signed', signature, publicKey },
        1: { kind: 'verified', valid: true },
        2: { kind: 'verified', valid: false },
      })
    })

    it('signs as the node, on every link of the node with one key, and takes nobody at his word who speaks for another', async () => {
      const [first, second] = [make(network.link(refOf('a'))), make(network.link(refOf('b')))]
      await Promise.all([first.host.start(), second.host.start()])
      const message = textBytes('I am here')
      ask(first.host, first.toy, { kind: 'sign-as-node', message })
      await first.toy.saw('answer 0')
      const answer = first.toy.answers[0]![1]
      assert.equal(answer.kind, 'signed')
      const { signature, publicKey } = answer as Extract<Answer, { kind: 'signed' }>
      assert.equal(await verifyEd25519(publicKey, message, signature), true)
      assert.deepEqual((await network.link(refOf('a')).key()).publicKey, publicKey)
      ask(
        second.host,
        second.toy,
        { kind: 'verify-node', node: refOf('a'), publicKey, message, signature },
        { kind: 'verify-node', node: refOf('a'), publicKey, message: textBytes('I am gone'), signature },
        { kind: 'verify-node', node: refOf('b'), publicKey, message, signature },
        { kind: 'verify-node', node: refOf('c'), publicKey, message, signature },
      )
      await Promise.all([0, 1, 2, 3].map((token) => second.toy.saw(`answer ${token}`)))
      const verdicts = second.toy.answers.toSorted(([a], [b]) => a - b).map(([, verdict]) => verdict)
      assert.deepEqual(verdicts, [
        { kind: 'verified', valid: true },
        { kind: 'verified', valid: false },
        { kind: 'verified', valid: false },
        { kind: 'verified', valid: false },
      ])
    })

    it('signs with another key it was given, by name', async () => {
      const other = await ed25519Key(new Uint8Array(32).fill(2))
      const toy = new Toy()
      const host = new NodeHost({ overlay: pastry(), link: network.link(refOf('a')) })
      started.push(host.use(toy, { store: memoryStore(), key, signer: (name) => (name === 'other' ? other : undefined) }))
      await host.start()
      const message = textBytes('promise')
      ask(host, toy, { kind: 'sign', message, signer: 'other' }, { kind: 'sign', message, signer: 'nobody' })
      await Promise.all([toy.saw('answer 0'), toy.saw('answer 1')])
      assert.deepEqual(Object.fromEntries(toy.answers), {
        0: { kind: 'signed', signature: await other.sign(message), publicKey: other.publicKey },
        1: { kind: 'failed', reason: 'there is no key named nobody' },
      })
    })

    it('answers `failed` with the reason when the store fails', async () => {
      const store = new HeldStore()
      store.failure = new Error('no space left on device')
      const { host, toy } = make(network.link(refOf('a')), new Toy(), store)
      await host.start()
      ask(host, toy, { kind: 'read', key: 'k' }, { kind: 'write', entries: [] }, { kind: 'list', prefix: '' })
      await Promise.all([toy.saw('answer 0'), toy.saw('answer 1'), toy.saw('answer 2')])
      for (const [, answer] of toy.answers) assert.deepEqual(answer, { kind: 'failed', reason: 'no space left on device' })
    })

    it('never answers inside the step that asked', async () => {
      const { host, toy } = make(network.link(refOf('a')))
      await host.start()
      ask(host, toy, { kind: 'read', key: 'k' })
      assert.deepEqual(toy.answers, [])
      await toy.saw('answer 0')
    })
  })

  describe('stopping', () => {
    it('waits for the store operations under way and drops their answers', async () => {
      const store = new HeldStore()
      const { host, toy } = make(network.link(refOf('a')), new Toy(), store)
      await host.start()
      ask(host, toy, { kind: 'write', entries: [] })
      let stopped = false
      const stopping = host.stop().then(() => (stopped = true))
      await new Promise((resolve) => void setImmediate(resolve))
      assert.equal(stopped, false)
      store.held[0]!()
      await stopping
      assert.deepEqual(toy.answers, [])
    })

    it('forgets its timers and sends nothing more', async () => {
      const clock = new ManualClock(1_000_000)
      const link = new LooseLink(refOf('a'))
      const toy = new Toy()
      const host = new NodeHost({ overlay: pastry(), link, seed: 'a', clock }).use(toy, { store: memoryStore(), key })
      await host.start()
      host.command(toy, (_, fx) => fx.startTimer('tick', 1, 10))
      host.command(toy, (_, fx) => fx.startTimer('tick', 2, 50))
      clock.advance(20)
      assert.deepEqual(toy.log.slice(1), ['timer tick 1 at 1000010'])
      await host.stop()
      assert.equal(clock.waiting, 0)
      clock.advance(10_000)
      link.receiver?.onFrame(refOf('b'), textBytes('late'))
      link.receiver?.onPeerDown(refOf('b'), 'disconnected')
      assert.deepEqual(toy.log.slice(1), ['timer tick 1 at 1000010'])
      assert.deepEqual(link.sent, [])
    })

    it('is noticed by the others as a crash is', async () => {
      const a = await run('a')
      const b = await run('b', [a.host])
      await b.host.stop()
      await a.toy.saw('gone memory:b')
    })
  })

  describe('facing garbage', () => {
    it('counts and drops frames that are no message, and works on', async () => {
      const a = await run('a')
      const b = await run('b', [a.host])
      const stranger = network.link(refOf('stranger'))
      await stranger.open({ onFrame() {}, onPeerDown() {} })
      const prng = Prng.fromSeed('garbage')
      const faults: Error[] = []
      a.host.events.addEventListener('host:fault', ({ detail }) => void faults.push(detail.error))
      const before = a.host.stats().framesIn
      for (let i = 0; i < 2000; i++)
        stranger.send(
          a.host.self,
          Uint8Array.from({ length: prng.nextInt(200) }, () => prng.nextInt(256)),
        )
      stranger.send(a.host.self, new Uint8Array(2 ** 21).fill(0x0a))
      a.host.command(a.toy, (_, fx) => fx.route(b.host.self.id, textBytes('after'), { replyWithinMs: 2000 }))
      await a.toy.saw('reply memory:b')
      const stats = a.host.stats()
      assert.ok(stats.framesIn - before >= 2001)
      assert.ok(stats.framesGarbled >= 1900, `${stats.framesGarbled} were garbage`)
      assert.deepEqual(faults, [])
      await stranger.close()
    })

    it('tells its link which frames were no message', async () => {
      const link = new LooseLink(refOf('a'))
      const { host } = make(link)
      await host.start()
      assert.equal(link.receiver!.onFrame(refOf('b'), Uint8Array.of(0xff, 0xff)), false)
      assert.equal(host.stats().framesGarbled, 1)
    })

    it('survives real frames with bits flipped', async () => {
      const frames: Uint8Array[] = []
      const a = await run('a')
      const link = network.link(refOf('b'))
      const send = link.send.bind(link)
      link.send = (to, frame) => {
        frames.push(frame.slice())
        send(to, frame)
      }
      const b = make(link)
      await b.host.start()
      await b.host.join([a.host.self])
      b.host.command(b.toy, (_, fx) => fx.route(a.host.self.id, textBytes('route'), { replyWithinMs: 2000 }))
      b.host.command(b.toy, (_, fx) => fx.request(a.host.self, textBytes('request'), { withinMs: 2000 }))
      await Promise.all([b.toy.saw('reply memory:a'), b.toy.saw('reply request')])

      const faults: string[] = []
      a.host.events.addEventListener('host:fault', ({ detail }) => void faults.push(`${detail.during}: ${detail.error.message}`))
      const stranger = network.link(refOf('stranger'))
      await stranger.open({ onFrame() {}, onPeerDown() {} })
      const prng = Prng.fromSeed('bits')
      for (let i = 0; i < 5000; i++) {
        const frame = prng.pick(frames)!.slice()
        for (let flips = 1 + prng.nextInt(4); flips > 0; flips--) {
          const at = prng.nextInt(frame.length)
          frame[at] = frame[at]! ^ (1 << prng.nextInt(8))
        }
        stranger.send(a.host.self, frame)
      }
      a.host.command(a.toy, (_, fx) => fx.route(b.host.self.id, textBytes('after'), { replyWithinMs: 2000 }))
      await a.toy.saw('reply memory:b')
      assert.deepEqual(faults, [])
      await stranger.close()
    })

    it('tells a bug of an application as a fault and goes on', async () => {
      const a = await run('a')
      const b = await run('b', [a.host])
      const fault = new Promise<string>((resolve) => {
        b.host.events.addEventListener('host:fault', ({ detail }) => resolve(`${detail.during}: ${detail.error.message}`))
      })
      a.host.command(a.toy, (_, fx) => fx.route(b.host.self.id, textBytes('boom')))
      assert.equal(await fault, 'route: a bug')
      assert.equal(b.host.stats().faults, 1)
      a.host.command(a.toy, (_, fx) => fx.route(b.host.self.id, textBytes('after'), { replyWithinMs: 2000 }))
      await a.toy.saw('reply memory:b')
    })

    it('throws the mistake of a command at its caller', async () => {
      const { host, toy } = await run('a')
      const mistake = new Error('wrong value')
      assert.throws(
        () =>
          host.command(toy, () => {
            throw mistake
          }),
        mistake,
      )
    })
  })

  it('tells its link which neighbours to keep, once for a burst of changes', async () => {
    const link = network.link(refOf('a'))
    const kept: string[][] = []
    const done = Promise.withResolvers<void>()
    link.keep = (peers) => {
      kept.push(peers.map(({ address }) => address).toSorted())
      if (kept.at(-1)?.length === 3) done.resolve()
    }
    const a = make(link).host
    await a.start()
    await a.join([])
    for (const name of ['b', 'c', 'd']) await run(name, [a])
    await done.promise
    assert.deepEqual(kept.at(-1), ['memory:b', 'memory:c', 'memory:d'])
    assert.ok(kept.length <= 3)
  })

  it('counts frames and bytes both ways', async () => {
    const a = await run('a')
    const b = await run('b', [a.host])
    const [one, two] = [a.host.stats(), b.host.stats()]
    assert.ok(one.framesIn > 0 && two.framesIn > 0)
    assert.ok(one.bytesOut >= one.framesOut && two.bytesIn >= two.framesIn)
    assert.equal(one.framesGarbled, 0)
    assert.equal(one.routing.dropped, 0)
  })
})
