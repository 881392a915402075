import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { DeliveryWatch, Violations, checkRanges, checkRoots } from '@plaxton/simulator'
import type { SimNode } from '@plaxton/simulator'
import { hostileCases } from './hostile-cases.ts'
import { assertEverything } from './kbr-membership.ts'
import { newTag } from './kbr-probe.ts'
import { anyKey, assertArrived, replyMs, sendAll } from './kbr-send.ts'
import { settle } from './kbr-settle.ts'
import { newNetwork, nodeOf } from './simulated-network.ts'
import type { OverlayUnderTest, SimulatedCase, SimulatedContext } from './simulated-network.ts'

export function simulatedCases(subject: OverlayUnderTest): SimulatedCase[] {
  return [
    {
      title: 'the same seed gives the same history, and questions asked meanwhile change nothing of it',
      nodes: 1,
      run: (context) => repeats(subject, context),
    },
    { title: 'messages arrive at their roots while messages get lost and overtake each other', run: arrivesDespiteLoss },
    {
      title: 'while nodes join, leave, crash and start again, messages arrive at their roots only; after it all is exact',
      run: withstandsChurn,
    },
    { title: 'most of the nodes crash at once, and those that are left own everything', run: withstandsMassFailure },
    subject.has.proximity
      ? { title: 'of the nodes that a message could go to first, it takes a near one', nodes: 64, once: true, run: takesNearHops }
      : { title: 'declares: next hops need not be near', run: async () => {} },
    ...hostileCases,
  ]
}

/** Two runs of one script; in the second, every node is asked everything all the time. */
async function repeats(subject: OverlayUnderTest, { prng }: SimulatedContext): Promise<void> {
  const seed = `twice ${prng.nextUint32()}`
  const traces = [await script(subject, seed, false), await script(subject, seed, false), await script(subject, seed, true)]
  assert.equal(traces[1], traces[0], 'two runs of one seed differ: something else than seed and inputs decides')
  assert.equal(traces[2], traces[0], 'a question changed what happened after it')
}

async function script(subject: OverlayUnderTest, seed: string, asking: boolean): Promise<string> {
  const network = newNetwork(subject, seed)
  const { simulation } = network
  const prng = simulation.simulator.stream('script')
  if (asking) simulation.onEvent((node) => askEverything(node, simulation.simulator.stream('asking')))
  await network.grow(10)
  await network.crash(network.members.slice(3, 5))
  await network.leave(network.members[1]!)
  await sendAll(
    network,
    network.members.map((from) => ({ from, key: anyKey(network, prng) })),
  )
  simulation.run(120_000)
  return simulation.traceHash
}

function askEverything(node: SimNode, prng: Parameters<typeof randomGuid>[0]): void {
  if (!node.running) return
  const { overlay, self } = node.kbr
  const key = randomGuid(prng, 4 * self.id.length)
  overlay.nextHop(key, 0, new Set())
  overlay.replicaSet(key, 8)
  overlay.neighborSet(8)
  overlay.localLookup(key, 4, false)
  overlay.localLookup(key, 4, true)
  overlay.range(self, 0, key)
}

async function arrivesDespiteLoss(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  network.simulation.network.loss = 0.05
  network.simulation.network.jitterMs = 100
  const letters = () => network.members.map((from) => ({ from, key: anyKey(network, prng) }))
  const sent = [...(await sendAll(network, letters())), ...(await sendAll(network, letters()))]
  assertMostArrive(sent.filter(({ reply }) => reply.ok).length, sent.length)
  network.simulation.run(120_000)
  network.simulation.network.repair()
  await settle(context)
  for (const each of await sendAll(network, letters())) assertArrived(context, each)
  await assertEverything(context)
}

/** Virtual time of the churn, and between two events and two messages in it. */
const churnMs = 180_000
const eventGapMs = 4_000
const letterGapMs = 400

async function withstandsChurn(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  const { simulation } = network
  const watch = new DeliveryWatch(simulation)
  const size = simulation.nodes.length
  for (let at = 0; at < churnMs; at += prng.nextInt(2 * eventGapMs)) simulation.after(at, () => disturb(context, size))
  const outcomes: Array<() => boolean | undefined> = []
  for (let at = 0; at < churnMs; at += letterGapMs) simulation.after(at, () => void outcomes.push(sendSomething(context)))
  simulation.run(churnMs + replyMs)
  for (const node of simulation.nodes) if (!node.running) simulation.restart(node)
  await network.until(() => simulation.nodes.every(({ ready }) => ready), 'all nodes are members again', network.patienceMs)
  network.refresh()
  await settle(context)
  if (simulation.falseSuspicions === 0) assert.deepEqual(watch.wrong, [], 'deliveries at a node that was not the root')
  const [arrived, lost] = [true, false].map((ok) => outcomes.filter((outcome) => outcome() === ok).length) as [number, number]
  assertMostArrive(arrived, arrived + lost)
  await assertEverything(context)
  assertTruth(context)
}

/**
 * Share of messages that must be answered while messages are lost or nodes come and go. Of the rest, every attempt within the time lost its reply, or was
 * with a node when it crashed.
 */
const leastArriving = 0.95

function assertMostArrive(arrived: number, all: number): void {
  assert(arrived >= leastArriving * all, `${all - arrived} of ${all} messages came to nothing`)
}

function disturb({ network, prng }: SimulatedContext, size: number): void {
  const { simulation } = network
  const up = simulation.running().filter(({ ready, leaving }) => ready && !leaving)
  const down = simulation.nodes.filter(({ running }) => !running)
  const victim = prng.pick(up)
  const sleeper = prng.pick(down)
  switch (prng.nextInt(4)) {
    case 0:
      if (simulation.nodes.length < 2 * size) simulation.addNode()
      break
    case 1:
      if (up.length > size / 2) simulation.crash(victim!)
      break
    case 2:
      if (up.length > size / 2) simulation.leave(victim!)
      break
    case 3:
      if (sleeper !== undefined) simulation.restart(sleeper)
  }
}

/** Sends from a random member; the result tells, in the end, whether it was answered; undefined when its source is gone. */
function sendSomething({ network, prng }: SimulatedContext): () => boolean | undefined {
  const { simulation } = network
  const from = prng.pick(simulation.running().filter(({ ready, leaving }) => ready && !leaving))
  if (from === undefined) return () => undefined
  const { process } = from
  const probe = from.applications[0] as (typeof network.members)[number]['probe']
  const id = simulation.command(from, probe, (fx) => fx.route(anyKey(network, prng), newTag(), { replyWithinMs: replyMs }))
  return () => {
    const reply = probe.replies.get(id)
    assert(reply !== undefined || from.process !== process, `a message sent from ${from.id} never had an outcome`)
    return from.process === process ? reply!.ok : undefined
  }
}

async function withstandsMassFailure(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  await network.crash(prng.shuffle(network.members).slice(0, Math.floor(network.members.length * 0.6)))
  await settle(context)
  await assertEverything(context)
  assertTruth(context)
}

/** What the simulator's own checks say: every node is asked about many keys, and about those where responsibility changes. */
function assertTruth({ network, has }: SimulatedContext): void {
  const { simulation } = network
  const violations = new Violations()
  simulation.assertInvariants()
  checkRoots(simulation, violations, { prng: simulation.simulator.stream('roots'), replicas: 3 })
  if (has.ranges !== false) checkRanges(simulation, violations, { prng: simulation.simulator.stream('ranges'), ranks: 3 })
  const found = violations.kept.map(({ check, detail }) => `${check}: ${detail}`)
  assert.equal(violations.total, 0, found.slice(0, 5).join('\n'))
}

/** Messages of which the first hop is looked at. */
const ways = 300
/** The first hop of messages that take several, compared with a random member. A random choice gives 1, the nearest of three about 0.6. */
const nearShare = 0.7

async function takesNearHops(context: SimulatedContext): Promise<void> {
  const { network, prng } = context
  const { simulation } = network
  // Time to look for near ones: most overlays do that after they have joined.
  simulation.run(600_000)
  const { topology } = simulation.simulator
  const placeOf = (ref: { readonly address: string }) => simulation.hostOf(ref as Parameters<typeof simulation.hostOf>[0])
  const letters = Array.from({ length: ways }, () => ({ from: prng.pick(network.members)!, key: anyKey(network, prng) }))
  let [taken, random] = [0, 0]
  for (const { from, upcalls } of await sendAll(network, letters)) {
    const [first, second] = upcalls
    if (upcalls.length < 4 || first?.nextHop === undefined || second === undefined) continue
    taken += topology.distance(placeOf(from.self), placeOf(second.at))
    random += topology.distance(placeOf(from.self), nodeOf(prng.pick(network.members)!).host.index)
  }
  assert(random > 0, `no message of ${ways} took two hops: the network is too small to show proximity`)
  const share = taken / random
  assert(share < nearShare, `first hops are ${share.toFixed(2)} times as far as random members`)
}
