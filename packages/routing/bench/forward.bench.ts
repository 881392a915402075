import type { Guid } from '@plaxton/guid'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Application, Effects, ForwardDecision, Message, NextHop, NodeRef, Overlay, Timer } from '@plaxton/kbr'
import type { RouteMessage } from '../src/index.ts'
import { KbrNode } from '../src/index.ts'

/**
 * Nanoseconds of the walking for one forwarded hop: a `route` comes in, is acknowledged and sent on, and the acknowledgement of the next
 * hop comes in; with a reply wanted, the reply too. The overlay answers from a variable, so that nothing but the walking is measured.
 * Processor time, best of several rounds, on one node and on 10,000 that take turns, whose state no cache holds.
 */

const rounds = 15
const perRound = 100_000

const prng = Prng.fromSeed('bench')
const previous = peer('previous')
const next = peer('next')
const payload = new Uint8Array(64)
const noPath: readonly Guid[] = []

/** The driver: keeps the last message and rings no timer before it is asked to. */
class Sink implements Effects {
  onward: RouteMessage | undefined = undefined
  timer: Timer | undefined = undefined

  send(to: NodeRef, message: Message): void {
    if (to === next) this.onward = message as RouteMessage
  }
  startTimer(timer: Timer): void {
    this.timer = timer
  }
  emit(): void {}
  ask(): void {}
}

const application = {
  name: 'bench',
  forward: (): ForwardDecision => goOn,
  onStart(): void {},
} as unknown as Application
const goOn: ForwardDecision = { action: 'continue' }

for (const nodes of [1, 10_000]) {
  for (const [what, applications, replyWithinMs] of [
    ['transit', [], 0],
    ['transit, application asked', [application], 0],
    ['transit and reply', [], 10_000],
  ] as const) {
    measure(`${what}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`, nodes, [...applications], replyWithinMs)
  }
}

function measure(what: string, count: number, applications: Application[], replyWithinMs: number): void {
  const fx = new Sink()
  const nodes = Array.from({ length: count }, (_, i) => makeNode(`node ${i}`, applications, fx))
  const keys = Array.from({ length: 1024 }, () => randomGuid(prng))
  let now = 0
  let nonce = 1
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const begin = process.cpuUsage()
    for (let i = 0; i < perRound; i++) {
      const node = nodes[i % count]!
      // A thousand messages a second on each node, or one now and then.
      if (i % count === 0) now++
      hop(node, keys[i & 1023]!, nonce++, replyWithinMs, now, fx)
    }
    best = Math.min(best, process.cpuUsage(begin).user)
  }
  console.log(`${what.padEnd(44)} ${((best * 1e3) / perRound).toFixed(0).padStart(6)} ns`)
}

function hop(node: KbrNode, key: Guid, nonce: number, replyWithinMs: number, now: number, fx: Sink): void {
  const message: RouteMessage = {
    type: 'route',
    seq: nonce,
    nonce,
    key,
    application: 'bench',
    payload,
    hops: 1,
    cursor: 0,
    replyWithinMs,
    keepPath: false,
    path: noPath,
  }
  node.onMessage(previous, message, now, fx)
  const { seq } = fx.onward!
  node.onMessage(next, { type: 'ack', seq } as Message, now, fx)
  if (replyWithinMs > 0) node.onMessage(next, { type: 'reply', seq, payload, hops: 2, path: noPath } as Message, now, fx)
  if (fx.timer !== undefined && now % 1000 === 0) {
    const { timer } = fx
    fx.timer = undefined
    node.onTimer(timer, now, fx)
  }
}

function makeNode(name: string, applications: Application[], fx: Effects): KbrNode {
  const forward: NextHop = { action: 'forward', to: next, cursor: 1 }
  const overlay = {
    name: 'bench',
    ready: true,
    codec: { encode: () => payload, decode: () => ({ type: 'none' }) },
    nextHop: () => forward,
    join(): void {},
    onContact(): void {},
    onRoundTrip(): void {},
  } as unknown as Overlay
  const node = new KbrNode({ self: peer(name), overlay: { name: 'bench', create: () => overlay }, applications, prng })
  node.start(0, fx)
  node.join([], 0, fx)
  return node
}

function peer(name: string): NodeRef {
  return { id: randomGuid(prng), address: name, epoch: 1 }
}
