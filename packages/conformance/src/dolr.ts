import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import type { Dolr, ProgressEvent } from '@plaxton/kbr'
import { bytesText, textBytes } from './kbr-probe.ts'
import { annoy, ended, eventually, newName, noCuts, noStrangers, serviceSuite } from './service-network.ts'
import type { OpenNetwork, ServiceCase, ServiceNetwork, ServiceNode } from './service-network.ts'
import { declares, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

export interface DolrInit {
  readonly open: OpenNetwork<Dolr>
  readonly has: {
    /** The networks have strangers that send rubbish. */
    readonly strangers: boolean
    /** The networks can be cut in two, and heal. */
    readonly cuts: boolean
  }
  /** Nodes of the networks, ascending; the last at least 5. Default 1, 2, 3 and 7. */
  readonly sizes?: readonly number[]
  /** Longest message and longest answer, in bytes. Default 1 MiB. */
  readonly messageBytesMax?: number
  /** How long pointers may take to heal after nodes have crashed or left: as long as one lives. Default 20 s. */
  readonly healMs?: number
  /** The name of its application, to which strangers send rubbish. Default `dolr`. */
  readonly application?: string
  readonly runner?: Runner
}

/** Registers tests that hold for every {@link Dolr}, on any driver: all in promises, on networks of 1, 2, 3 and more nodes. */
export function dolrConformance(name: string, init: DolrInit): void {
  register(dolrSuite(name, init), init.runner)
}

/** The same as a value. */
export function dolrSuite(name: string, init: DolrInit): Suite {
  const { sizes = [1, 2, 3, 7], messageBytesMax = 1_048_576, healMs = 20_000, application = 'dolr', has } = init
  const cases: ReadonlyArray<ServiceCase<Dolr>> = [
    ['brings a message from every node to a host, once, and its answer back', reachesHost],
    ['brings a message to at most n hosts, each once, and to nobody else', reachesSeveral],
    ['locates hosts without sending them anything', locates],
    ['says that there is no host of an object that nobody hosts, or no more', findsNobody],
    [`carries messages and answers from 0 to ${messageBytesMax} bytes`, (network) => carriesSizes(network, messageBytesMax)],
    ['runs many calls that nobody awaits one by one', runsMany],
  ]
  const inACall: ReadonlyArray<ServiceCase<Dolr>> = [
    ['gives the first reply by await and all by iteration, as often as wanted', repliesAreKept],
    ['passes by a host that has only published, and tells what a handler that refuses says', refusals],
    ['refuses wrong values with the field, its value and what is allowed', (network) => refusesWrongValues(network, messageBytesMax)],
    ['ends with the reason of its signal, at once', endsWithSignal],
    ['ends in its time when a handler does not answer, and says so by name', endsInTime],
    ['tells its progress in sentences', tellsProgress],
  ]
  const membership: ReadonlyArray<ServiceCase<Dolr>> = [
    ['is found by nodes that join, and finds their objects', servesJoiners],
    ['is answered by another host when one crashes, without the caller doing anything', failsOver],
    ['follows an object that moves', followsMoves],
    ['names a node that has left for a while at most', (network) => forgetsLeavers(network, healMs)],
    ['finds every object that has a host after other nodes crashed', (network) => healsPointers(network, healMs)],
    ['hosts again when a node starts again under its id', hostsAgain],
    ['rejects the calls of a node that is stopped', rejectsWhenStopped],
  ]
  const parted: ServiceCase<Dolr> | Case = has.cuts
    ? ['finds hosts on either side of a cut, and all when it has healed', survivesCut]
    : declares(noCuts)
  const hostile = has.strangers ? strangerCase(application) : declares(noStrangers)
  return serviceSuite(name, { open: init.open, sizes }, cases, [
    ['in a call', inACall],
    ['when nodes come and go', [...membership, hostile, parted]],
  ])
}

type Network = ServiceNetwork<Dolr>
type Node = ServiceNode<Dolr>

/** An object that nobody has hosted before. */
function newGuid(network: Network): Guid {
  return guidOf(textBytes(newName(network)))
}

/** Hosts an object whose answer names its host and what it was asked; `heard` counts messages. */
async function host(node: Node, guid: Guid): Promise<{ stop(): Promise<void>; readonly heard: string[] }> {
  const heard: string[] = []
  const hosted = await node.service.host(guid, (message, asked) => {
    assert.equal(asked, guid, 'a handler was given another object')
    heard.push(bytesText(message))
    return answerOf(node, bytesText(message))
  })
  return { heard, stop: () => hosted.stop() }
}

function answerOf({ id }: Node, words: string): Uint8Array {
  return textBytes(`${id} heard ${words}`)
}

/** The first reply, as text. */
async function ask(node: Node, guid: Guid, words: string): Promise<string> {
  return bytesText(await node.service.sendToObj(textBytes(words), guid))
}

async function askAll(node: Node, guid: Guid, words: string, n: number): Promise<string[]> {
  const texts: string[] = []
  for await (const reply of node.service.sendToObj(textBytes(words), guid, n)) texts.push(bytesText(reply))
  return texts
}

/** Rejects as `sendToObj` does: its replies are no promise. */
async function sending(node: Node, ...args: Parameters<Dolr['sendToObj']>): Promise<Uint8Array> {
  return await node.service.sendToObj(...args)
}

const missing = { code: 'ERR_NOT_FOUND' }

// ——— On networks of any size

async function reachesHost(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const other = await host(nodes[0]!, newGuid(network))
  const hosted = await host(nodes.at(-1)!, guid)
  for (const [i, node] of nodes.entries())
    assert.equal(await ask(node, guid, `message ${i}`), bytesText(answerOf(nodes.at(-1)!, `message ${i}`)))
  assert.deepEqual(
    hosted.heard,
    nodes.map((_, i) => `message ${i}`),
    'the host heard something else than was sent',
  )
  assert.deepEqual(other.heard, [], 'the host of another object was given a message')
  await hosted.stop()
  await other.stop()
}

async function reachesSeveral(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosts = nodes.slice(0, 3)
  const hosted = await Promise.all(hosts.map((node) => host(node, guid)))
  const heard = (words: string): number => hosted.reduce((sum, each) => sum + each.heard.filter((one) => one === words).length, 0)
  for (const n of [1, 2, 3, 16]) {
    for (const sender of [nodes[0]!, nodes.at(-1)!]) {
      const words = `to ${n} from ${sender.id}, ${newGuid(network)}`
      const replies = await askAll(sender, guid, words, n)
      const expected = Math.min(n, hosts.length)
      assert.equal(replies.length, expected, `replies to a message for ${n} of ${hosts.length} hosts`)
      assert.equal(new Set(replies).size, expected, 'a host answered twice')
      for (const reply of replies)
        assert(
          hosts.some((node) => reply === bytesText(answerOf(node, words))),
          `nobody's answer: ${reply}`,
        )
      assert.equal(heard(words), expected, 'handlers that were called')
    }
  }
  for (const each of hosted) await each.stop()
}

async function locates(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosts = nodes.slice(-2)
  const hosted = await Promise.all(hosts.map((node) => host(node, guid)))
  for (const { service } of nodes) {
    const found = (await service.locate(guid, 16)).map(({ id }) => id)
    assert.deepEqual(found.toSorted(), hosts.map(({ id }) => id).toSorted())
    const [nearest, ...more] = await service.locate(guid)
    assert(hosts.some(({ id }) => id === nearest!.id) && more.length === 0)
  }
  for (const each of hosted) {
    assert.deepEqual(each.heard, [], 'locating called a handler')
    await each.stop()
  }
}

async function findsNobody(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const [first, last] = [nodes[0]!, nodes.at(-1)!]
  const nobody = async (): Promise<void> => {
    await assert.rejects(sending(first, textBytes('anyone?'), guid), missing)
    await assert.rejects(last.service.locate(guid), missing)
    await assert.rejects(first.service.unpublish(guid), missing)
  }
  await nobody()
  const hosted = await host(last, guid)
  await ask(first, guid, 'now?')
  await hosted.stop()
  await hosted.stop()
  await nobody()
  await last.service.publish(guid)
  assert.deepEqual(
    (await first.service.locate(guid)).map(({ id }) => id),
    [last.id],
  )
  await last.service.unpublish(guid)
  await nobody()
}

async function carriesSizes(network: Network, most: number): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosted = await nodes[0]!.service.host(guid, (message) => message)
  for (const size of [0, 1, 4_096, 16_385, 65_536, most].filter((each) => each <= most)) {
    const message = new Uint8Array(size).map((_, i) => i * 7 + size)
    const reply = await sending(nodes.at(-1)!, message, guid)
    assert(Buffer.compare(reply, message) === 0, `${size} bytes came back as ${reply.length} others`)
  }
  await hosted.stop()
}

async function runsMany(network: Network): Promise<void> {
  const { nodes } = network
  const guids = Array.from({ length: 30 }, () => newGuid(network))
  const nodeOf = (i: number): Node => nodes[i % nodes.length]!
  const hosted = await Promise.all(guids.map((guid, i) => host(nodeOf(i), guid)))
  const calls = Array.from({ length: 120 }, (_, i) => ask(nodeOf(i + 1), guids[i % guids.length]!, `${i}`))
  for (const [i, reply] of (await Promise.all(calls)).entries()) assert.equal(reply, bytesText(answerOf(nodeOf(i % guids.length), `${i}`)))
  await Promise.all(hosted.map((each) => each.stop()))
}

// ——— In a call

async function repliesAreKept(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosted = await Promise.all(nodes.slice(0, 2).map((node) => host(node, guid)))
  const replies = nodes.at(-1)!.service.sendToObj(textBytes('hello'), guid, 2)
  const list = async (): Promise<string[]> => {
    const texts: string[] = []
    for await (const reply of replies) texts.push(bytesText(reply))
    return texts
  }
  const first = await list()
  assert.equal(first.length, 2)
  assert.deepEqual(await list(), first)
  assert.equal(bytesText(await replies), first[0])
  for (const each of hosted) await each.stop()
}

async function refusals(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const [publisher, other, sender] = [nodes[0]!, nodes[1]!, nodes.at(-1)!]
  await publisher.service.publish(guid)
  const hosted = await host(other, guid)
  assert.equal(await ask(sender, guid, 'who?'), bytesText(answerOf(other, 'who?')))
  await hosted.stop()
  await publisher.service.unpublish(guid)

  for (const [handler, words] of [
    [() => Promise.reject(new Error('closed on Sundays')), /closed on Sundays/],
    [() => 'text' as never, /Uint8Array/],
  ] as const) {
    const refusing = await other.service.host(guid, handler)
    await assert.rejects(sending(sender, textBytes('please'), guid), { code: 'ERR_ROUTE', message: words })
    await refusing.stop()
  }
}

async function refusesWrongValues(network: Network, most: number): Promise<void> {
  const { nodes } = network
  const node = nodes[0]!
  const { service } = node
  const guid = newGuid(network)
  const hello = textBytes('hello')
  const calls: Array<[field: string, call: () => Promise<unknown>]> = [
    ['guid', () => service.publish('nonsense' as Guid)],
    ['guid', () => sending(node, hello, 'nonsense' as Guid)],
    ['handler', () => service.host(guid, 'echo' as never)],
    ['message', () => sending(node, 'hello' as never, guid)],
    ['message', () => sending(node, new Uint8Array(most + 1), guid)],
    ['n', () => sending(node, hello, guid, 0)],
    ['n', () => service.locate(guid, 1.5)],
    ['timeoutMs', () => service.locate(guid, 1, { timeoutMs: 0 })],
    ['timeoutMs', () => sending(node, hello, guid, 1, { timeoutMs: Number.NaN })],
  ]
  for (const [field, call] of calls) {
    await assert.rejects(
      call,
      (error) => error instanceof InvalidValueError && error.field === field && error.allowed.length > 0,
      `a wrong ${field}`,
    )
  }
}

const never = (): Promise<Uint8Array> => new Promise(() => {})

async function endsWithSignal(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosted = await nodes[0]!.service.host(guid, never)
  const reason = new Error('enough')
  const controller = new AbortController()
  const call = sending(nodes.at(-1)!, textBytes('hello'), guid, 1, { signal: controller.signal })
  controller.abort(reason)
  assert.equal((await ended(network, call, 1_000)).error, reason)
  const aborted = { signal: AbortSignal.abort(reason) }
  const { service } = nodes.at(-1)!
  for (const over of [service.publish(guid, aborted), service.unpublish(guid, aborted), service.locate(guid, 1, aborted)]) {
    assert.equal((await ended(network, over, 1_000)).error, reason)
  }
  await hosted.stop()
}

async function endsInTime(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosted = await nodes[0]!.service.host(guid, never)
  for (const node of [nodes[0]!, nodes.at(-1)!]) {
    const { error, elapsedMs } = await ended(network, sending(node, textBytes('hello'), guid, 1, { timeoutMs: 100 }), 3_000)
    assert.equal((error as { code?: string }).code, 'ERR_DEADLINE', error?.stack)
    assert(elapsedMs >= 95, `it gave up after ${elapsedMs} ms`)
  }
  await hosted.stop()
}

async function tellsProgress(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const hosted = await host(nodes[0]!, guid)
  const steps: ProgressEvent[] = []
  await sending(nodes.at(-1)!, textBytes('hello'), guid, 1, { onProgress: (event) => steps.push(event) })
  assert(steps.length > 0, 'nothing was told')
  for (const { type, detail } of steps) {
    assert.match(type, /^[a-z0-9-]+:[a-z0-9-]+$/)
    assert(detail.length > 0)
  }
  await hosted.stop()
}

// ——— When nodes come and go

async function servesJoiners(network: Network): Promise<void> {
  const [old, young] = [newGuid(network), newGuid(network)]
  const first = network.nodes[0]!
  const hosted = await host(first, old)
  const joiner = await network.add()
  assert.equal(await ask(joiner, old, 'old'), bytesText(answerOf(first, 'old')))
  await host(joiner, young)
  for (const node of network.nodes) assert.equal(await ask(node, young, 'young'), bytesText(answerOf(joiner, 'young')))
  await hosted.stop()
  await network.leave(joiner)
}

async function failsOver(network: Network): Promise<void> {
  const guid = newGuid(network)
  const hosts = network.nodes.slice(1, 4)
  for (const node of hosts) await host(node, guid)
  const sender = network.nodes[0]!
  const down: Node[] = []
  while (down.length < hosts.length - 1) {
    const answer = await ask(sender, guid, 'who?')
    const answering = hosts.find((node) => answer === bytesText(answerOf(node, 'who?')))
    assert(answering !== undefined && !down.includes(answering), `a dead host answered: ${answer}`)
    await network.crash(answering)
    down.push(answering)
    const next = await ask(sender, guid, 'and now?')
    assert(
      hosts.some((node) => !down.includes(node) && next === bytesText(answerOf(node, 'and now?'))),
      `not another host answered: ${next}`,
    )
  }
  for (const node of down) await network.restart(node)
}

async function followsMoves(network: Network): Promise<void> {
  const { nodes } = network
  const guid = newGuid(network)
  const sender = nodes[0]!
  for (const node of nodes.slice(1)) {
    const hosted = await host(node, guid)
    assert.equal(await ask(sender, guid, 'where?'), bytesText(answerOf(node, 'where?')))
    await hosted.stop()
  }
}

/** A publication that took two ways, because a hop was late, may be withdrawn on one of them only: what is left on the other expires. */
async function forgetsLeavers(network: Network, healMs: number): Promise<void> {
  const guid = newGuid(network)
  const leaver = network.nodes.at(-1)!
  await host(leaver, guid)
  await network.leave(leaver)
  for (const { service } of network.nodes) await eventually(network, () => assert.rejects(service.locate(guid), missing), healMs)
  await network.restart(leaver)
}

async function healsPointers(network: Network, healMs: number): Promise<void> {
  const guids = Array.from({ length: 12 }, () => newGuid(network))
  const [first, second] = network.nodes as [Node, Node]
  const hostOf = (i: number): Node => (i % 2 === 0 ? first : second)
  const hosted = await Promise.all(guids.map((guid, i) => host(hostOf(i), guid)))
  const victims = network.nodes.slice(-2)
  await Promise.all(victims.map((victim) => network.crash(victim)))
  for (const node of network.nodes) {
    for (const [i, guid] of guids.entries()) {
      const answer = await eventually(network, () => ask(node, guid, 'still there?'), healMs)
      assert.equal(answer, bytesText(answerOf(hostOf(i), 'still there?')))
    }
  }
  for (const each of hosted) await each.stop()
  for (const victim of victims) await network.restart(victim)
}

async function hostsAgain(network: Network): Promise<void> {
  const guid = newGuid(network)
  const old = network.nodes.at(-1)!
  await host(old, guid)
  await network.crash(old)
  const again = await network.restart(old)
  assert.equal(again.id, old.id)
  const hosted = await host(again, guid)
  for (const node of network.nodes) assert.equal(await ask(node, guid, 'back?'), bytesText(answerOf(again, 'back?')))
  await hosted.stop()
}

/** Halves, for a few nodes cut off from many may not know of each other. */
async function survivesCut(network: Network): Promise<void> {
  const middle = network.nodes.length >> 1
  const sides = [network.nodes.slice(0, middle), network.nodes.slice(middle)] as const
  const objects = await Promise.all(
    sides.map(async ([first]) => {
      const guid = newGuid(network)
      return { guid, here: first!, hosted: await host(first!, guid) }
    }),
  )
  const everybodyFinds = async (nodes: readonly Node[], { guid, here }: (typeof objects)[number]): Promise<void> => {
    for (const node of nodes) assert.equal(await ask(node, guid, 'still there?'), bytesText(answerOf(here, 'still there?')))
  }
  network.cut!(sides[1])
  try {
    for (const [i, nodes] of sides.entries()) await eventually(network, () => everybodyFinds(nodes, objects[i]!), partedMs)
  } finally {
    network.heal!()
  }
  for (const object of objects) await eventually(network, () => everybodyFinds(network.nodes, object), partedMs)
  for (const { hosted } of objects) await hosted.stop()
}

/** Two sides of a cut become networks of their own, and one again, in minutes. Only where time is virtual. */
const partedMs = 900_000

async function rejectsWhenStopped(network: Network): Promise<void> {
  const guid = newGuid(network)
  const victim = await network.add()
  const calls = Array.from({ length: 20 }, () => sending(victim, textBytes('hello'), guid))
  const outcomes = Promise.allSettled(calls)
  await network.crash(victim)
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert(['ERR_NOT_READY', 'ERR_NOT_FOUND'].includes(outcome.reason.code), outcome.reason.stack)
  }
  await assert.rejects(async () => victim.service.publish(guid), { code: 'ERR_NOT_READY' })
}

function strangerCase(application: string): ServiceCase<Dolr> {
  return [
    'goes on after a stranger has sent rubbish',
    async (network) => {
      const guid = newGuid(network)
      const hosted = await host(network.nodes[0]!, guid)
      await annoy(network, application, Prng.fromSeed('stranger'))
      assert.deepEqual(network.faults(), [])
      for (const node of network.nodes)
        assert.equal(await eventually(network, () => ask(node, guid, 'well?')), bytesText(answerOf(network.nodes[0]!, 'well?')))
      await hosted.stop()
    },
  ]
}
