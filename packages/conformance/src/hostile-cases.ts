import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import type { Message, NodeRef } from '@plaxton/kbr'
import { overlayName } from '@plaxton/routing'
import type { RoutingMessage } from '@plaxton/routing'
import { assertEverything } from './kbr-membership.ts'
import { assertAllArrive, someKeys } from './kbr-send.ts'
import { settle } from './kbr-settle.ts'
import { mutate, randomBytes } from './mutate.ts'
import { nodeOf } from './simulated-network.ts'
import type { SimulatedCase, SimulatedContext } from './simulated-network.ts'
import { weigh } from './weigh.ts'

/** What strangers can send. */
export const hostileCases: readonly SimulatedCase[] = [
  { title: 'every message that it sends reads as what was written', run: readsWhatWasWritten },
  { title: 'bytes that are no message are refused with a WireError, and nothing else is thrown', run: refusesGarbage },
  {
    title: 'messages out of any context, from strangers and from members, never throw, and everything is exact again afterwards',
    run: withstandsStrangers,
  },
  { title: 'what strangers send does not make a node grow without bound', once: true, run: doesNotGrow },
]

async function readsWhatWasWritten({ network }: SimulatedContext): Promise<void> {
  const { codec } = nodeOf(network.members[0]!).kbr.overlay
  assert(network.tape.messages.length > 0, 'the overlay sends no message at all')
  for (const bytes of network.tape.messages) {
    const message = codec.decode(bytes, network.simulation.simulator.readRef)
    assert.deepEqual(codec.encode(message), bytes, `${message.type} reads as something else than was written`)
  }
}

async function refusesGarbage(context: SimulatedContext): Promise<void> {
  let refused = 0
  for (let i = 0; i < 2_000; i++) if (readFrame(context, strangeFrame(context)) === undefined) refused++
  assert(refused > 0, 'nothing was refused: the bytes were not strange enough')
}

/** Messages of strangers and members in the test of what comes after. */
const strangeMessages = 800

async function withstandsStrangers(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  const strangers = Array.from({ length: 20 }, () => newStranger(context))
  for (let i = 0; i < strangeMessages; i++) {
    const from = prng.chance(0.2) ? prng.pick(network.members)!.self : prng.pick(strangers)!
    receive(context, from, strangeMessage(context))
    if (i % 10 === 0) network.simulation.run(prng.nextInt(200))
  }
  // What they claimed is found to be false: a heartbeat's time with its probes, for the slowest overlay.
  network.simulation.run(300_000)
  await settle(context)
  await assertAllArrive(context, someKeys(context, 6, 6))
  await assertEverything(context)
}

/** Strangers after which a node is looked at first, then twice as many each time. */
const crowd = 2_400
/** By the last look everything that is bounded is full; overlays keep a thousand entries or two of a kind. */
const looks = 5
/** Something kept of every stranger is one value each at least. */
const valuesPerStranger = 0.5
/** After thousands of strangers, tables that fill up slowly no longer take so many values of each. */
const hopeless = 3

async function doesNotGrow(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  const victim = network.members[0]!
  let visitors = 0
  let floor = weigh(victim.overlay)
  let perStranger = Infinity
  for (let look = 0; look < looks && perStranger >= valuesPerStranger; look++) {
    const newcomers = Math.max(visitors, crowd)
    const before = floor
    floor = Infinity
    for (let i = 0; i < newcomers; i++) {
      receive(context, newStranger(context), strangeMessage(context), victim)
      if (i % 20 === 0) network.simulation.run(prng.nextInt(200))
      // What is under way comes and goes. What is kept shows when there is least of the other, here in the second half of them.
      if (i % 400 === 0 && i >= newcomers / 2) floor = Math.min(floor, weigh(victim.overlay))
    }
    visitors += newcomers
    // From the half of one look to the half of the next one come three quarters of the newcomers.
    perStranger = (floor - before) / (0.75 * newcomers)
    if (look > 1 && perStranger > hopeless) break
  }
  assert(
    perStranger < valuesPerStranger,
    `with each stranger the overlay holds ${perStranger.toFixed(1)} more values, after ${visitors} still`,
  )
  network.simulation.run(300_000)
  await settle(context)
  await assertAllArrive(context, someKeys(context, 4, 4), [victim])
}

// ——— Strange bytes and messages

/** Bytes as a stranger may write them: a frame with something changed, or anything. */
function strangeFrame(context: SimulatedContext): Uint8Array {
  const { network, prng } = context
  if (prng.chance(0.1)) return randomBytes(prng, prng.nextInt(300))
  const { codec } = nodeOf(network.members[0]!).kbr
  const whole = prng.chance(0.5) ? codec.encode(walkingMessage(context)) : overlayFrame(context)
  return mutate(prng, whole, prng.pick(network.tape.messages)!)
}

/** A message that the codec lets pass: real ones, real ones changed, and those of the walking with anything in them. */
function strangeMessage(context: SimulatedContext): Message {
  for (;;) {
    const { prng } = context
    const bytes = prng.chance(0.5) ? overlayFrame(context) : strangeFrame(context)
    const message = readFrame(context, bytes)
    if (message !== undefined) return message
  }
}

function overlayFrame({ network, prng }: SimulatedContext): Uint8Array {
  const { kbr } = nodeOf(network.members[0]!)
  const { readRef } = network.simulation.simulator
  return kbr.codec.encode(kbr.overlay.codec.decode(prng.pick(network.tape.messages)!, readRef))
}

function walkingMessage({ network, prng }: SimulatedContext): RoutingMessage {
  const key = prng.chance(0.5) ? prng.pick(network.members)!.self.id : randomGuid(prng, 4 * network.members[0]!.self.id.length)
  const seq = prng.chance(0.5) ? prng.nextInt(2 ** 30) : Number.MAX_SAFE_INTEGER
  const own = prng.pick(network.tape.payloads) ?? new Uint8Array(0)
  const payload = prng.chance(0.5) ? own : mutate(prng, own, own)
  const application = prng.pick([overlayName, overlayName, 'conformance', 'nobody', ''])!
  const some: RoutingMessage[] = [
    {
      type: 'route',
      seq,
      nonce: 1 + prng.nextInt(1_000),
      key,
      application,
      payload,
      hops: 1 + prng.nextInt(40),
      cursor: prng.nextInt(100),
      replyWithinMs: prng.nextInt(1_000),
      keepPath: false,
      path: [],
    },
    { type: 'request', seq, application, payload, withinMs: prng.nextInt(10_000) },
    { type: 'tell', application, payload },
    { type: 'ack', seq },
    { type: 'nack', seq, reason: 'left' },
    { type: 'reply', seq, payload, hops: 3, path: [key] },
    { type: 'response', seq, payload },
    { type: 'find', seq, key, num: prng.nextInt(40) },
    { type: 'found', seq, root: true, nodes: network.members.slice(0, 3).map(({ self }) => self) },
  ]
  return prng.pick(some)!
}

/** The message in these bytes; undefined when they were refused as they should be. */
function readFrame({ network }: SimulatedContext, bytes: Uint8Array): Message | undefined {
  try {
    return nodeOf(network.members[0]!).kbr.codec.decode(bytes, network.simulation.simulator.readRef)
  } catch (error) {
    assert.equal((error as Error).name, 'WireError', `decoding threw something else: ${(error as Error).stack}`)
    return undefined
  }
}

// ——— Who sends them

/** A host that says what a case makes it say, and answers nothing. */
function newStranger({ network, prng }: SimulatedContext): NodeRef {
  const { simulator } = network.simulation
  return simulator.addHost(randomGuid(prng, 4 * network.members[0]!.self.id.length)).nextRef()
}

/** A step of a node, `to` or any, that a message arrives in. An exception out of it ends the case. */
function receive({ network, prng }: SimulatedContext, from: NodeRef, message: Message, to = prng.pick(network.members)!): void {
  const node = nodeOf(to)
  if (node.id === from.id) return
  network.simulation.simulator.step(node.process!, (now, fx) => node.kbr.onMessage(from, message, now, fx))
}
