import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import type { Dht, ProgressEvent } from '@plaxton/kbr'
import { textBytes } from './kbr-probe.ts'
import { annoy, ended, eventually, newName, noCuts, noStrangers, serviceSuite } from './service-network.ts'
import type { OpenNetwork, ServiceCase, ServiceNetwork, ServiceNode } from './service-network.ts'
import { declares, register } from './suite.ts'
import type { Case, Runner, Suite } from './suite.ts'

/** A {@link Dht} whose objects may have names, which are their owners'. */
export interface NamingDht extends Dht {
  /** The guid of the object that this node's owner stores under `name`. */
  nameGuid(name: string): Guid
}

interface DhtInit {
  readonly runner?: Runner
  /** Nodes of the networks, ascending; the last at least 5. Default 1, 2, 3 and 7: two more than an object has replicas. */
  readonly sizes?: readonly number[]
  /** Largest object, in bytes. Default 1 MiB. */
  readonly objectBytesMax?: number
  /** The name of its application, to which strangers send rubbish. Default `past`. */
  readonly application?: string
}

/** `names`: objects may have names. `strangers`: the networks have strangers that send rubbish. `cuts`: they can be cut in two, and heal. */
interface PlainDhtInit extends DhtInit {
  readonly open: OpenNetwork<Dht>
  readonly has: { readonly names: false; readonly strangers: boolean; readonly cuts: boolean }
}

interface NamingDhtInit extends DhtInit {
  readonly open: OpenNetwork<NamingDht>
  readonly has: { readonly names: true; readonly strangers: boolean; readonly cuts: boolean }
}

/** Registers tests that hold for every {@link Dht}, on any driver: all in promises, on networks of 1, 2, 3 and more nodes. */
export function dhtConformance(name: string, init: PlainDhtInit | NamingDhtInit): void {
  register(dhtSuite(name, init), init.runner)
}

/** The same as a value. */
export function dhtSuite(name: string, init: PlainDhtInit | NamingDhtInit): Suite {
  const { sizes = [1, 2, 3, 7], objectBytesMax = 1_048_576, application = 'past' } = init
  const named: ReadonlyArray<ServiceCase<NamingDht>> = init.has.names
    ? [['keeps objects of one name and two owners apart', keepsOwnersApart]]
    : []
  const cases: ReadonlyArray<ServiceCase<NamingDht>> = [
    ['stores an object, says who holds it, and gives it to every node', storesAndReads],
    [`stores objects from 0 to ${objectBytesMax} bytes`, (network) => storesSizes(network, objectBytesMax)],
    ['removes an object everywhere', removes],
    ['says that there is nothing under a guid that nobody stored', findsNothing],
    ['runs many calls that nobody awaits one by one', runsMany],
    ...named,
  ]
  const inACall: ReadonlyArray<ServiceCase<NamingDht>> = [
    ['refuses wrong values with the field, its value and what is allowed', (network) => refusesWrongValues(network, objectBytesMax)],
    ['ends with the reason of its signal, at once', endsWithSignal],
    ['ends in its time, and says so by name', endsInTime],
    ['tells its progress in sentences, and ends with what its watcher throws', tellsProgress],
  ]
  const membership: ReadonlyArray<ServiceCase<NamingDht>> = [
    ['gives everything to a node that joins', servesJoiners],
    ['loses no object when two nodes crash at once, and restores the copies', survivesCrashes],
    ['keeps single copies when the nodes that hold them leave', handsOver],
    ['has its objects when a node starts again, and not those removed meanwhile', survivesRestart],
    ['has its objects when all nodes crash and start again', survivesBlackout],
    ['rejects the calls of a node that is stopped', rejectsWhenStopped],
  ]
  const parted: ServiceCase<NamingDht> | Case = init.has.cuts
    ? ['gives all that was stored before a cut and during it, when it has healed', survivesCut]
    : declares(noCuts)
  const hostile = init.has.strangers ? strangerCase(application) : declares(noStrangers)
  const nothingNamed: Case[] = init.has.names ? [] : [declares('objects have no names')]
  return serviceSuite(name, { open: init.open as OpenNetwork<NamingDht>, sizes }, cases, [
    ['in a call', [...inACall, ...nothingNamed]],
    ['when nodes come and go', [...membership, hostile, parted]],
  ])
}

type Network = ServiceNetwork<NamingDht>
type Node = ServiceNode<NamingDht>

/** Replicas an object gets that asks for no number: PAST's k (SOSP 2001). */
const defaultReplicas = 5

/** An object that was never stored before, of so many bytes. */
function newObject(network: Network, size = 40): { readonly guid: Guid; readonly data: Uint8Array } {
  const prng = Prng.fromSeed(newName(network))
  const words = Uint32Array.from({ length: Math.ceil(size / 4) }, () => prng.nextUint32())
  const data = new Uint8Array(words.buffer, 0, size)
  return { guid: guidOf(data), data }
}

function ends({ nodes }: Network): [first: Node, last: Node] {
  return [nodes[0]!, nodes.at(-1)!]
}

async function assertReadable(
  nodes: readonly Node[],
  stored: ReadonlyArray<{ readonly guid: Guid; readonly data: Uint8Array }>,
): Promise<void> {
  await Promise.all(
    nodes.flatMap(({ id, service }) =>
      stored.map(async ({ guid, data }) => {
        const got = await service.get(guid).catch((cause: Error) => {
          throw new Error(`${guid} was acknowledged, and cannot be read at ${id}: ${cause.message}`, { cause })
        })
        assert(Buffer.compare(got, data) === 0, `${guid} reads as other bytes at ${id}`)
      }),
    ),
  )
}

async function assertGone(nodes: readonly Node[], guid: Guid): Promise<void> {
  for (const { service } of nodes) {
    assert.equal(await service.has(guid), false)
    await assert.rejects(service.get(guid), { code: 'ERR_NOT_FOUND' })
  }
}

async function putSome(network: Network, node: Node, count: number, replicas?: number): Promise<Array<{ guid: Guid; data: Uint8Array }>> {
  const some = Array.from({ length: count }, () => newObject(network))
  await Promise.all(
    some.map(({ guid, data }) => node.service.put(guid, data, { quorum: 'all', ...(replicas === undefined ? {} : { replicas }) })),
  )
  return some
}

// ——— On networks of any size

async function storesAndReads(network: Network): Promise<void> {
  const [first, last] = ends(network)
  const object = newObject(network)
  const receipt = await first.service.put(object.guid, object.data, { quorum: 'all' })
  const copies = Math.min(defaultReplicas, network.nodes.length)
  assert.deepEqual([receipt.guid, receipt.size, receipt.wanted], [object.guid, object.data.length, defaultReplicas])
  assertHolders(network, receipt.holders, copies)
  assert.equal(receipt.expires, undefined)
  await assertReadable(network.nodes, [object])
  assert.equal(await last.service.has(object.guid), true)
  const inspection = await last.service.inspect(object.guid)
  assert.deepEqual([inspection.guid, inspection.size, inspection.wanted], [object.guid, object.data.length, defaultReplicas])
  assertHolders(network, inspection.holders, copies)
  assertHolders(network, (await last.service.ensure(object.guid)).holders, copies)
  // The same again changes nothing.
  await last.service.put(object.guid, object.data)
  await assertReadable([first], [object])
}

function assertHolders({ nodes }: Network, holders: ReadonlyArray<{ readonly id: Guid }>, count: number): void {
  const ids = holders.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length, 'a holder is named twice')
  for (const id of ids)
    assert(
      nodes.some((node) => node.id === id),
      `${id} is named as a holder and is not there`,
    )
  assert.equal(ids.length, count, 'holders')
}

async function storesSizes(network: Network, most: number): Promise<void> {
  const [first, last] = ends(network)
  const sizes = [0, 1, 16_384, 16_385, 65_536, most].filter((size) => size <= most)
  for (const object of sizes.map((size) => newObject(network, size))) {
    await first.service.put(object.guid, object.data)
    await assertReadable([last], [object])
  }
}

async function removes(network: Network): Promise<void> {
  const [first] = ends(network)
  const [gone, kept] = [newObject(network), newObject(network)]
  for (const { guid, data } of [gone, kept]) await first.service.put(guid, data, { quorum: 'all' })
  const receipt = await first.service.remove(gone.guid)
  assert.equal(receipt.guid, gone.guid)
  assert(receipt.holders.length > 0, 'nobody is said to have stored the removal')
  await assertGone(network.nodes, gone.guid)
  await assertReadable(network.nodes, [kept])
}

async function findsNothing(network: Network): Promise<void> {
  const { nodes } = network
  const { guid } = newObject(network)
  const missing = { code: 'ERR_NOT_FOUND' }
  for (const { service } of nodes.slice(-2)) {
    assert.equal(await service.has(guid), false)
    for (const call of [() => service.get(guid), () => service.inspect(guid), () => service.ensure(guid), () => service.remove(guid)])
      await assert.rejects(call, missing)
  }
}

async function runsMany(network: Network): Promise<void> {
  const { nodes } = network
  const many = Array.from({ length: 120 }, () => newObject(network))
  const serviceOf = (i: number): Dht => nodes[i % nodes.length]!.service
  await Promise.all(many.map(({ guid, data }, i) => serviceOf(i).put(guid, data)))
  const read = await Promise.all(many.map(({ guid }, i) => serviceOf(i + 1).get(guid)))
  for (const [i, { data }] of many.entries()) assert(Buffer.compare(read[i]!, data) === 0)
}

async function keepsOwnersApart(network: Network): Promise<void> {
  const [one, other] = ends(network)
  const name = newName(network)
  const guid = one.service.nameGuid(name)
  await one.service.put(guid, textBytes('hello'), { name, quorum: 'all' })
  assert.deepEqual(Buffer.from(await other.service.get(guid)), Buffer.from('hello'))
  await assert.rejects(one.service.put(guid, textBytes('other'), { name }), { code: 'ERR_ALREADY_EXISTS' })
  if (one !== other) {
    assert.notEqual(other.service.nameGuid(name), guid)
    await assert.rejects(other.service.remove(guid), { code: 'ERR_NOT_OWNER' })
  }
  await one.service.remove(guid)
  await assertGone(network.nodes, guid)
  await one.service.put(guid, textBytes('other'), { name })
  assert.deepEqual(Buffer.from(await other.service.get(guid)), Buffer.from('other'))
}

// ——— In a call

async function refusesWrongValues(network: Network, most: number): Promise<void> {
  const { nodes } = network
  const { service } = nodes[0]!
  const { guid, data } = newObject(network)
  const calls: Array<[field: string, call: () => Promise<unknown>]> = [
    ['guid', () => service.get('nonsense' as Guid)],
    ['guid', () => service.put(guid, textBytes('other bytes'))],
    ['data', () => service.put(guid, 'text' as never)],
    ['data', () => service.put(guidOf(new Uint8Array(most + 1)), new Uint8Array(most + 1))],
    ['replicas', () => service.put(guid, data, { replicas: 0 })],
    ['replicas', () => service.ensure(guid, 1_000)],
    ['quorum', () => service.put(guid, data, { quorum: 'most' as never })],
    ['expires', () => service.put(guid, data, { expires: 1 })],
    ['timeoutMs', () => service.has(guid, { timeoutMs: 0 })],
    ['timeoutMs', () => service.has(guid, { timeoutMs: Number.NaN })],
  ]
  for (const [field, call] of calls) {
    await assert.rejects(
      call,
      (error) => error instanceof InvalidValueError && error.field === field && error.allowed.length > 0,
      `a wrong ${field}`,
    )
  }
}

async function endsWithSignal(network: Network): Promise<void> {
  const { nodes } = network
  const { service } = nodes[0]!
  const object = newObject(network, 200_000)
  const reason = new Error('enough')
  const aborted = AbortSignal.abort(reason)
  const calls = [
    service.put(object.guid, object.data, { signal: aborted }),
    service.get(object.guid, { signal: aborted }),
    service.remove(object.guid, { signal: aborted }),
  ]
  for (const call of calls) assert.equal((await ended(network, call, 1_000)).error, reason)
  const controller = new AbortController()
  const call = service.put(object.guid, object.data, { signal: controller.signal })
  controller.abort(reason)
  assert.equal((await ended(network, call, 1_000)).error, reason)
  // An abort that comes too late is no matter.
  const late = new AbortController()
  const small = newObject(network)
  await service.put(small.guid, small.data, { signal: late.signal })
  late.abort(reason)
  await assertReadable(nodes, [small])
}

/** A call may end this much later than it should: a busy machine's pause. */
const lateMs = 2_000

async function endsInTime(network: Network): Promise<void> {
  const { nodes } = network
  const calls = nodes.flatMap(({ service }) => {
    const { guid, data } = newObject(network, 500_000)
    const options = { timeoutMs: 1 }
    return [service.put(guid, data, options), service.get(guid, options), service.inspect(guid, options), service.remove(guid, options)]
  })
  let late = 0
  for (const { error } of await Promise.all(calls.map((call) => ended(network, call, lateMs)))) {
    const { code } = (error ?? {}) as { code?: string }
    assert(error === undefined || ['ERR_DEADLINE', 'ERR_QUORUM', 'ERR_NOT_FOUND'].includes(code!), `${error?.stack}`)
    if (code === 'ERR_DEADLINE') late++
  }
  assert(late > 0, 'calls of one millisecond all ended otherwise than by their deadline')
}

async function tellsProgress(network: Network): Promise<void> {
  const { nodes } = network
  const { service } = nodes[0]!
  const [watched, broken] = [newObject(network), newObject(network)]
  const steps: ProgressEvent[] = []
  await service.put(watched.guid, watched.data, { onProgress: (event) => steps.push(event) })
  assert(steps.length > 0, 'nothing was told')
  for (const { type, detail } of steps) {
    assert.match(type, /^[a-z0-9-]+:[a-z0-9-]+$/)
    assert(detail.length > 0)
  }
  const careless = new Error('careless watcher')
  const call = service.put(broken.guid, broken.data, {
    onProgress: () => {
      throw careless
    },
  })
  assert.equal((await ended(network, call, 5_000)).error, careless)
}

// ——— When nodes come and go

async function servesJoiners(network: Network): Promise<void> {
  const stored = await putSome(network, network.nodes[0]!, 8)
  const joiner = await network.add()
  await assertReadable([joiner], stored)
  stored.push(...(await putSome(network, joiner, 4)))
  await assertReadable(network.nodes, stored)
  await network.crash(joiner)
  await assertReadable(network.nodes, stored)
}

async function survivesCrashes(network: Network): Promise<void> {
  const stored = await putSome(network, network.nodes[0]!, 10)
  const victims = network.nodes.slice(-2)
  await Promise.all(victims.map((victim) => network.crash(victim)))
  await assertReadable(network.nodes, stored)
  const copies = Math.min(defaultReplicas, network.nodes.length)
  for (const { guid } of stored)
    await eventually(network, async () => assertHolders(network, (await network.nodes[0]!.service.ensure(guid)).holders, copies))
  for (const victim of victims) await network.restart(victim)
  await assertReadable(network.nodes, stored)
}

async function handsOver(network: Network): Promise<void> {
  const stored = await putSome(network, network.nodes[0]!, 12, 1)
  const leavers = network.nodes.slice(1, 4)
  for (const leaver of leavers) await network.leave(leaver)
  await assertReadable(network.nodes, stored)
  for (const leaver of leavers) await network.restart(leaver)
  await assertReadable(network.nodes, stored)
}

async function survivesRestart(network: Network): Promise<void> {
  const [first, last] = ends(network)
  const [gone, ...kept] = await putSome(network, first, 6)
  await network.crash(last)
  await first.service.remove(gone!.guid)
  kept.push(...(await putSome(network, first, 3)))
  const again = await network.restart(last)
  assert.equal(again.id, last.id)
  await assertReadable([again, first], kept)
  await assertGone(network.nodes, gone!.guid)
}

async function survivesBlackout(network: Network): Promise<void> {
  const stored = await putSome(network, network.nodes[0]!, 6)
  const all = [...network.nodes]
  await Promise.all(all.map((node) => network.crash(node)))
  assert.equal(network.nodes.length, 0)
  for (const node of all) await network.restart(node)
  await eventually(network, () => assertReadable(network.nodes, stored))
}

/** Most of the nodes go on with what they can reach; fewer are cut off than an object has replicas, so that is everything. */
async function survivesCut(network: Network): Promise<void> {
  const few = network.nodes.slice(-2)
  const many = network.nodes.slice(0, -2)
  const [gone, ...stored] = await eventually(network, () => putSome(network, many[0]!, 9), healMs)
  network.cut!(few)
  try {
    await eventually(network, () => assertReadable(many, stored), healMs)
    stored.push(...(await eventually(network, () => putSome(network, many[0]!, 4), healMs)))
    await eventually(network, () => many[0]!.service.remove(gone!.guid), healMs)
  } finally {
    network.heal!()
  }
  await eventually(network, () => assertReadable(network.nodes, stored), healMs)
  await eventually(network, () => assertGone(network.nodes, gone!.guid), healMs)
}

/** Two sides of a cut find each other again, and nodes that were silent are taken for dead, in minutes. Only where time is virtual. */
const healMs = 900_000

async function rejectsWhenStopped(network: Network): Promise<void> {
  const { guid } = newObject(network)
  const victim = await network.add()
  const calls = Array.from({ length: 20 }, () => victim.service.get(guid))
  const outcomes = Promise.allSettled(calls)
  await network.crash(victim)
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert(['ERR_NOT_READY', 'ERR_NOT_FOUND'].includes(outcome.reason.code), outcome.reason.stack)
  }
  await assert.rejects(async () => victim.service.get(guid), { code: 'ERR_NOT_READY' })
}

function strangerCase(application: string): ServiceCase<NamingDht> {
  return [
    'goes on after a stranger has sent rubbish',
    async (network) => {
      // A node has crashed just before this, and its place may not be taken yet.
      const stored = await eventually(network, () => putSome(network, network.nodes[0]!, 4))
      await annoy(network, application, Prng.fromSeed('stranger'))
      assert.deepEqual(network.faults(), [])
      stored.push(...(await eventually(network, () => putSome(network, network.nodes[0]!, 4))))
      await assertReadable(network.nodes, stored)
    },
  ]
}
