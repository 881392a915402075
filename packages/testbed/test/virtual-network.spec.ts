import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Message, NextHop, NodeRef, Overlay, OverlayEffects } from '@plaxton/kbr'
import { Recorder, VirtualNetwork, byte, ref } from '../src/index.ts'
import type { VirtualHost } from '../src/index.ts'

/** Knows nobody but its bootstrap node, says hello to it, and passes every message on to it. */
class Toy {
  readonly self: NodeRef
  ready = false
  readonly heard: string[] = []
  readonly suspected: string[] = []
  up: NodeRef | undefined

  constructor(self: NodeRef) {
    this.self = self
  }

  join([first]: readonly NodeRef[], _now: number, fx: OverlayEffects): void {
    this.up = first
    this.ready = true
    if (first !== undefined) fx.send(first, { type: 'hello' })
  }

  nextHop(_key: Guid, _cursor: number, avoid: ReadonlySet<Guid>): NextHop {
    if (this.up === undefined || avoid.has(this.up.id)) return { action: 'deliver' }
    return { action: 'forward', to: this.up, cursor: 0 }
  }

  forwardOwn(key: Guid): boolean {
    this.heard.push(`walk to ${key}`)
    return true
  }

  onMessage(from: NodeRef, { type }: Message, now: number): void {
    this.heard.push(`${type} of ${from.id} at ${now}`)
  }

  onPeerDown(peer: NodeRef, cause: string, now: number): void {
    this.heard.push(`${peer.id} ${cause} at ${now}`)
  }

  onTimer(kind: string, arg: number, now: number): void {
    this.heard.push(`${kind} ${arg} at ${now}`)
  }

  suspect(peer: NodeRef): void {
    this.suspected.push(peer.id)
  }

  onContact(): void {}
  leave(): void {}
  assertInvariants(): void {}
}

class ToyNetwork extends VirtualNetwork<Toy & Overlay> {
  constructor(seed: string) {
    super(seed, (self) => new Toy(self) as Toy & Overlay, 8)
    this.latencyMs = () => 10
  }

  complaints(): string[] {
    return []
  }
}

type ToyHost = VirtualHost<Toy & Overlay>

/** `03` passes on to `02`, and that to `01`. */
function chain(seed: string): [ToyNetwork, ToyHost, ToyHost, ToyHost] {
  const network = new ToyNetwork(seed)
  const [top] = network.grow([byte(1)]) as [ToyHost]
  const middle = network.add(byte(2))
  const last = network.add(byte(3))
  middle.join([top])
  last.join([middle])
  return [network, top!, middle, last]
}

describe('VirtualNetwork', () => {
  it('delivers after the latency, in the order of sending, and counts', () => {
    const [network, top, middle] = chain('order')
    middle.send(top.ref, { type: 'second' })
    network.run(100)
    assert.deepEqual(top.node.heard, ['hello of 02 at 10', 'second of 02 at 10'])
    assert.equal(network.sent, 3)
    assert.equal(network.now, 100)
  })

  it('loses what does not pass, and what the loss takes; tells of it as not arriving', () => {
    const [network, top, middle] = chain('loss')
    network.run(100)
    const told: boolean[] = []
    network.onSent = (_from, _to, _message, arrives) => told.push(arrives)
    network.passes = (from) => from.id !== middle.ref.id
    middle.send(top.ref, { type: 'stopped' })
    network.passes = () => true
    network.loss = 1
    middle.send(top.ref, { type: 'lost' })
    network.loss = 0
    middle.send(top.ref, { type: 'there' })
    network.run(100)
    assert.deepEqual(top.node.heard.slice(1), ['there of 02 at 110'])
    assert.deepEqual(told, [false, false, true])
  })

  it('says that a dead node, or an incarnation that is over, is unreachable only where it is told to', () => {
    const [network, top, middle] = chain('dead')
    network.run(100)
    top.crash()
    middle.send(top.ref, { type: 'into the void' })
    network.tellsUnreachable = true
    middle.send(top.ref, { type: 'refused' })
    network.run(100)
    assert.deepEqual(middle.node.heard.slice(1), ['01 unreachable at 105'])
    network.add(byte(1), 2)
    middle.send(top.ref, { type: 'to the one before' })
    network.run(100)
    assert.deepEqual(middle.node.heard.slice(2), ['01 unreachable at 205'])
  })

  it('walks from hop to hop, suspects one that does not answer and goes round it', () => {
    const [network, top, middle, last] = chain('walk')
    network.run(100)
    last.route(byte(7), new Uint8Array())
    network.run(100)
    assert.ok([top, middle, last].every(({ node }) => node.heard.includes('walk to 07')))
    assert.equal(network.rootFor(byte(7), last), '01')
    middle.crash()
    assert.equal(network.rootFor(byte(7), last), undefined)
    assert.equal(network.rootFor(byte(7), last, new Set([byte(2)])), '03')
    last.route(byte(8), new Uint8Array())
    network.run(1_000)
    assert.deepEqual(last.node.suspected, ['02'])
    assert.deepEqual(last.node.heard.slice(-2), ['walk to 08', 'walk to 08'])
  })

  it('fires timers of the living only', () => {
    const [network, top, middle] = chain('timers')
    top.startTimer('tick', 1, 50)
    middle.startTimer('tick', 2, 50)
    middle.crash()
    network.run(100)
    assert.ok(top.node.heard.includes('tick 1 at 50'))
    assert.deepEqual(middle.node.heard, [])
  })
})

describe('Recorder', () => {
  it('gives each effect once', () => {
    const fx = new Recorder()
    fx.send(ref('aa'), { type: 'ping' })
    fx.startTimer('tick', 1, 5)
    fx.neighborChanged(ref('bb'), true)
    assert.deepEqual(fx.take(), [
      { type: 'send', to: 'aa', message: { type: 'ping' } },
      { type: 'timer', kind: 'tick', arg: 1, delayMs: 5 },
      { type: 'neighbor', id: 'bb', joined: true },
    ])
    fx.send(ref('cc'), { type: 'pong' })
    assert.deepEqual(fx.sent(), ['cc pong'])
    assert.deepEqual(fx.take(), [])
  })
})
