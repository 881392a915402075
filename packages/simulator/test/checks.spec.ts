import assert from 'node:assert/strict'
import { addToGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { KeyRange, NodeRef } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import type { PastEvent } from '@plaxton/past'
import { pastry, pastryDefaults } from '@plaxton/pastry'
import { runMix } from '../src/mix.ts'
import { DeliveryWatch, checkLeafSets, checkRoots } from '../src/overlay-checks.ts'
import { overlays } from '../src/overlays.ts'
import { PastLedger } from '../src/past-ledger.ts'
import type { LedgerObject } from '../src/past-ledger.ts'
import { checkRanges } from '../src/range-checks.ts'
import { Simulation } from '../src/simulation.ts'
import type { SimNode } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'
import { Trial } from '../src/trial.ts'
import { Violations } from '../src/violations.ts'
import { network } from './sound-network.ts'

// A checker that cannot fail is worse than none: each finds nothing in a sound network, and something once that has been broken by hand.

describe('the overlay checks', () => {
  it('one root per key: find a node that delivers what is not its own', () => {
    const { simulation, violations } = network()
    check(simulation, violations, [])
    simulation.nodes[5]!.kbr.overlay.nextHop = () => ({ action: 'deliver' })
    check(simulation, violations, ['one root per key'])
  })

  it('one root per key: find two nodes that send a message to and fro', () => {
    const { simulation, violations } = network()
    const [a, b] = [simulation.nodes[5]!, simulation.nodes[6]!]
    a.kbr.overlay.nextHop = () => ({ action: 'forward', to: b.process!.self, cursor: 0 })
    b.kbr.overlay.nextHop = () => ({ action: 'forward', to: a.process!.self, cursor: 0 })
    check(simulation, violations, ['one root per key'])
  })

  it('one root per key: find a root that names another replica set', () => {
    const { simulation, violations } = network()
    const { overlay } = simulation.nodes[5]!.kbr
    const own = overlay.replicaSet.bind(overlay)
    overlay.replicaSet = (key: Guid, maxRank: number): NodeRef[] => own(key, maxRank).reverse()
    checkRoots(simulation, violations, { prng: simulation.simulator.stream('checks'), replicas: 5 })
    assert.ok(violations.byCheck().has('one root per key'))
  })

  it('holders know their replica set: find one that names others, and one that names too few', () => {
    const { simulation, violations } = network()
    const checkHeld = () => checkRoots(simulation, violations, { prng: simulation.simulator.stream('checks'), replicas: 5, held: 5 })
    checkHeld()
    assert.equal(violations.total, 0)
    const { overlay } = simulation.nodes[5]!.kbr
    const own = overlay.replicaSet.bind(overlay)
    // Right wherever it is the root itself, so that nothing else is found.
    const isRoot = (key: Guid) => simulation.members.root(key)!.self.id === overlay.self.id
    for (const change of [(refs: NodeRef[]) => refs.toReversed(), (refs: NodeRef[]) => refs.slice(0, 4)]) {
      const before = violations.total
      overlay.replicaSet = (key, maxRank) => (isRoot(key) ? own(key, maxRank) : change(own(key, maxRank)))
      checkHeld()
      assert.ok(violations.total > before)
    }
    assert.deepEqual([...violations.byCheck().keys()], ['holders know their replica set'])
  })

  it('leaf sets exact: find a node that knows a neighbour less', () => {
    const { simulation, violations } = network()
    checkLeafSets(simulation, violations, 16)
    assert.equal(violations.total, 0)
    const { overlay } = simulation.nodes[5]!.kbr
    const own = overlay.neighborSet.bind(overlay)
    overlay.neighborSet = (num: number): NodeRef[] => own(num).slice(1)
    checkLeafSets(simulation, violations, 16)
    assert.deepEqual([...violations.byCheck()], [['leaf sets exact', 1]])
  })

  it('ranges agree with ranks: find an interval that is too short, too long, another node’s or missing', () => {
    const { simulation, violations } = network()
    const checkAll = () => checkRanges(simulation, violations, { prng: simulation.simulator.stream('checks'), ranks: 3 })
    checkAll()
    assert.equal(violations.total, 0)
    const { overlay } = simulation.nodes[5]!.kbr
    const own = overlay.range.bind(overlay)
    const changes: ReadonlyArray<(range: KeyRange) => KeyRange | undefined> = [
      ({ from, to }) => ({ from, to: addToGuid(to, -1) }),
      ({ from, to }) => ({ from: addToGuid(from, -1), to }),
      ({ to }) => ({ from: to, to: addToGuid(to, 1) }),
      () => undefined,
    ]
    for (const change of changes) {
      const before = violations.total
      overlay.range = (node, rank, lkey) => change(own(node, rank, lkey)!)
      checkAll()
      assert.ok(violations.total > before)
    }
    assert.deepEqual([...violations.byCheck().keys()], ['ranges agree with ranks'])
  })

  it('deliveries at the root: count one that ended elsewhere', () => {
    const { simulation, log } = network()
    const watch = new DeliveryWatch(simulation)
    const [from, to] = [simulation.nodes[5]!, simulation.nodes[6]!]
    log.send(simulation, from, to.id)
    simulation.run(1000)
    assert.deepEqual([watch.delivered, watch.wrongs], [1, 0])
    from.kbr.overlay.nextHop = () => ({ action: 'deliver' })
    log.send(simulation, from, to.id)
    simulation.run(1000)
    assert.deepEqual([watch.delivered, watch.wrongs, watch.wrong.length], [2, 1, 1])
  })

  it('invariants: pass on what a node says about itself', () => {
    const { simulation } = network()
    simulation.assertInvariants()
    simulation.nodes[5]!.kbr.overlay.assertInvariants = () => {
      throw new Error('broken by hand')
    }
    assert.throws(() => simulation.assertInvariants(), /broken by hand/)
  })
})

describe('the storage checks', () => {
  it('find nothing wrong with objects that were put, read and removed', () => {
    const { simulation, ledger, violations, put } = store()
    const [kept, removed] = [put(), put()]
    ledger.remove(removed)
    simulation.run(10_000)
    assert.deepEqual([kept.state, removed.state], ['put', 'removed'])
    ledger.checkCopies()
    ledger.readBack(simulation.simulator.stream('checks'), 2)
    ledger.checkEnded()
    assert.deepEqual(violations.kept, [])
    assert.deepEqual(ledger.counts, { puts: 2, putsOk: 2, gets: 4, getsOk: 2, removes: 1, removesOk: 1, staleReads: 0 })
  })

  it('no acknowledged object lost: find one that is nowhere', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const holders = ledger.holders(object.guid)
    for (const host of holders) simulation.nodes[host]!.host.disk.wipe()
    assert.match(violations.kept[0]!.detail, new RegExp(`host ${holders.at(-1)} erased the last copy`))
    ledger.checkCopies()
    assert.equal(violations.byCheck().get('no acknowledged object lost'), 2)
  })

  it('no acknowledged object lost: excuse one whose nodes all crash before repair can have made other copies', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    for (const host of ledger.holders(object.guid)) simulation.crash(simulation.nodes[host]!, { wipe: true })
    ledger.checkCopies()
    assert.equal(object.excused, true)
    assert.equal(violations.total, 0)
  })

  it('no acknowledged object lost: do not excuse one whose last node crashes long after the others, unrepaired', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const [last, ...others] = ledger.holders(object.guid)
    for (const host of others) simulation.nodes[host]!.host.disk.wipe()
    simulation.run(121_000)
    for (const host of ledger.holders(object.guid)) if (host !== last) simulation.nodes[host]!.host.disk.wipe()
    simulation.crash(simulation.nodes[last!]!, { wipe: true })
    ledger.checkCopies()
    assert.equal(violations.byCheck().get('no acknowledged object lost'), 1)
  })

  it('objects on their k nodes: find one that lacks a copy', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    simulation.run(5000)
    ledger.checkCopies()
    assert.equal(violations.total, 0)
    simulation.nodes[ledger.holders(object.guid)[0]!]!.host.disk.wipe()
    ledger.checkCopies()
    assert.deepEqual([...violations.byCheck()], [['objects on their k nodes', 1]])
  })

  it('objects on k machines: find one that lacks a copy, though no root can tell on which of the last two it belongs', () => {
    const { simulation, ledger, violations, put } = store({ nodes: 24, virtualNodes: 3, replicas: 7 })
    const object = put()
    simulation.run(60_000)
    ledger.checkCopies()
    assert.equal(violations.total, 0)
    for (const { host } of simulation.onMachineOf(simulation.nodes[ledger.holders(object.guid)[0]!]!)) host.disk.wipe()
    ledger.checkCopies()
    assert.equal(violations.byCheck().get('objects on k machines'), 1)
  })

  it('removed objects stay gone: find one that came back', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const record = simulation.nodes[ledger.holders(object.guid)[0]!]!.host.disk.get(`r/${object.guid}`)!
    ledger.remove(object)
    simulation.run(10_000)
    const { disk } = simulation.nodes[2]!.host
    const write = {
      kind: 'write',
      entries: [
        [`d/${object.guid}`, object.bytes],
        [`r/${object.guid}`, record],
      ],
    } as const
    disk.ask(write)
    disk.answer(write)
    ledger.checkCopies()
    assert.deepEqual([...violations.byCheck()], [['removed objects stay gone', 1]])
  })

  it('removed objects stay gone: excuse one that is back after all who remembered its removal have lost their disks at once', () => {
    const { simulation, ledger, violations, sleeper, object } = removedWhileOneSlept()
    for (const host of ledger.rememberers(object.guid)) simulation.crash(simulation.nodes[host]!, { wipe: true })
    simulation.restart(sleeper)
    simulation.run(120_000)
    assert.ok(ledger.holders(object.guid).length >= object.replicas)
    ledger.checkCopies()
    ledger.readBack(simulation.simulator.stream('checks'), 2)
    assert.deepEqual([ledger.excused, violations.kept], [1, []])
  })

  it('removed objects stay gone: do not excuse one that is back while a node that slept as well remembers its removal', () => {
    const { simulation, ledger, violations, sleeper, object } = removedWhileOneSlept()
    const [last, ...others] = ledger.rememberers(object.guid).map((host) => simulation.nodes[host]!)
    for (const node of others) simulation.crash(node, { wipe: true })
    simulation.crash(last!)
    simulation.restart(sleeper)
    simulation.run(120_000)
    assert.equal(ledger.excused, 1)
    simulation.restart(last!)
    while (!last!.ready) simulation.run(1)
    assert.equal(ledger.excused, 0)
    ledger.checkCopies()
    assert.deepEqual([...violations.byCheck()], [['removed objects stay gone', 1]])
    simulation.run(60_000)
    assert.deepEqual(ledger.holders(object.guid), [])
  })

  it('removed objects stay gone: do not excuse one whose removal was remembered by one node only for longer than repair takes', () => {
    const { simulation, ledger, violations, sleeper, object } = removedWhileOneSlept()
    const [last, ...others] = ledger.rememberers(object.guid).map((host) => simulation.nodes[host]!)
    for (const node of others) simulation.crash(node, { wipe: true })
    simulation.run(121_000)
    for (const host of ledger.rememberers(object.guid)) if (host !== last!.host.index) simulation.nodes[host]!.host.disk.wipe()
    simulation.crash(last!, { wipe: true })
    simulation.restart(sleeper)
    simulation.run(5000)
    ledger.checkCopies()
    assert.equal(ledger.excused, 0)
    assert.deepEqual([...violations.byCheck()], [['removed objects stay gone', 1]])
  })

  it('reads give what was put: find other bytes', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    ledger.objects.set(object.guid, { ...object, bytes: Uint8Array.of(9) })
    ledger.get(simulation.nodes[1]!, ledger.objects.get(object.guid)!)
    simulation.run(10_000)
    assert.deepEqual([...violations.byCheck()], [['reads give what was put', 1]])
  })

  it('stored objects can be read: find one that is there and unreadable', () => {
    const { simulation, ledger, violations, put } = store()
    put()
    for (const node of simulation.nodes) {
      const past = node.application('past') as PastNode
      past.get = (_request, _now, fx) => {
        fx.emit(notFound(77))
        return 77
      }
    }
    ledger.readBack(simulation.simulator.stream('checks'), 1)
    assert.deepEqual([...violations.byCheck()], [['stored objects can be read', 1]])
  })

  it('stored objects can be read: demand it of an object with one copy left, on a member', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const last = restartLast(simulation, ledger, object)
    const reader = simulation.running().find((node) => node !== last)!
    while (!last.ready) simulation.run(1)
    const past = reader.application('past') as PastNode
    past.get = () => 77
    ledger.get(reader, object)
    simulation.command(reader, past, (fx) => fx.emit(notFound(77)))
    assert.equal(object.excused, false)
    assert.deepEqual([...violations.byCheck()], [['stored objects can be read', 1]])
  })

  it('stored objects can be read: do not demand it of one whose last copy is on a node that was no member when the read began', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const last = restartLast(simulation, ledger, object)
    const reader = simulation.running().find((node) => node !== last)!
    const past = reader.application('past') as PastNode
    for (const command of [77, 78]) {
      past.get = () => command
      ledger.get(reader, object)
    }
    simulation.command(reader, past, (fx) => fx.emit(notFound(77)))
    assert.equal(last.ready, false)
    while (!last.ready) simulation.run(1)
    simulation.command(reader, past, (fx) => fx.emit(notFound(78)))
    assert.deepEqual(ledger.holders(object.guid), [last.host.index])
    assert.deepEqual(violations.kept, [])
  })

  // Seed 240 with 16 nodes: crashes outran the joins until nobody was a member, and the next node to start founded the network anew.
  it('stored objects can be read: not before the node with the last copy has joined the network that was founded without it', () => {
    const { simulation, ledger, violations, put } = store({ nodes: 3 })
    const object = put()
    const last = restartLast(simulation, ledger, object)
    const founder = simulation.addNode()
    while (!founder.ready) simulation.run(1)
    ledger.get(founder, object)
    assert.deepEqual([ledger.holders(object.guid), last.ready, simulation.members.size], [[last.host.index], false, 1])
    assert.deepEqual([ledger.counts.gets, ledger.counts.getsOk], [1, 0])
    while (!last.ready) simulation.run(1)
    simulation.run(10_000)
    ledger.get(founder, object)
    simulation.run(10_000)
    assert.deepEqual([ledger.counts.gets, ledger.counts.getsOk], [2, 1])
    assert.deepEqual(violations.kept, [])
  })

  it('every command ends once: find one that ends twice, one that nobody gave, and one that never ends', () => {
    const { simulation, ledger, violations, put } = store()
    const object = put()
    const node = simulation.nodes[1]!
    const past = node.application('past') as PastNode
    const done = { type: 'past:done', command: 77, outcome: { ok: true, value: object.bytes } } as const
    past.get = () => 77
    ledger.get(node, object)
    simulation.command(node, past, (fx) => [fx.emit(done), fx.emit(done)])
    assert.match(violations.kept[0]!.detail, /ended twice/)

    past.get = () => 78
    ledger.get(node, object)
    simulation.run(31_000)
    ledger.checkEnded()
    assert.match(violations.kept[1]!.detail, /has not ended/)
    assert.deepEqual([...violations.byCheck()], [['every command ends once', 2]])
  })
})

describe('the mix', () => {
  const calm = { chaosMs: 1000, joinGapMs: 0, loss: 0, partitions: 0, encode: false } as const

  const calmTrial = {
    seed: 1,
    nodes: 3,
    topology: uniform(20),
    services: [],
    replicas: 3,
    dolr: { choose: 'sender', roots: 1, republishMs: 60_000, nearBackups: 0, nearNeighbors: 0, nearHops: 0 },
  } as const

  it('finds nobody joining', () => {
    const result = runMix({ seed: 1, nodes: 3, plan: { ...calm, topology: uniform(100_000_000) } })
    assert.ok(result.violations.byCheck().has('everybody joins'))
  })

  it('finds a network that does not settle', () => {
    const restless = new Trial({ ...calmTrial, subject: overlays.pastry() })
    const { simulation } = restless
    simulation.joinAll({ gapMs: 100 })
    // A newcomer every minute; two minutes without a change would be quiet.
    const come = (): void => {
      if (simulation.nodes.length < 100) simulation.addNode()
      simulation.after(60_000, come)
    }
    come()
    restless.settle([])
    assert.deepEqual([...restless.violations.byCheck()], [['the network settles', 1]])
  })

  it('finds a storm of messages', () => {
    const storming = new Trial({ ...calmTrial, subject: overlays.pastry() })
    const { simulation } = storming
    const self = simulation.addNode().process!
    const storm = (): void => {
      simulation.simulator.step(self, (_now, fx) => {
        for (let i = 0; i < 10_000; i++) fx.startTimer({ owner: 'test', kind: 'storm', arg: 0 }, 3_600_000)
      })
      simulation.after(1000, storm)
    }
    storm()
    storming.attempt(() => simulation.run(3_000_000))
    assert.match(storming.violations.kept[0]!.detail, /entries are pending/)
  })

  it('finds a core that throws, and says where', () => {
    const broken = () => {
      throw new Error('broken by hand')
    }
    const result = runMix({
      seed: 1,
      nodes: 3,
      plan: { ...calm, topology: () => ({ name: 'broken', place: () => {}, latencyMs: broken, distance: () => 1 }) },
    })
    assert.match(result.violations.kept[0]!.detail, /broken by hand/)
    assert.ok(result.violations.byCheck().has('no core throws'))
  })
})

/** Walks for all keys of the check, and expects these checks to have found something. */
function check(simulation: Simulation, violations: Violations, expected: readonly string[]): void {
  checkRoots(simulation, violations, { prng: simulation.simulator.stream('checks'), replicas: 5 })
  assert.deepEqual([...violations.byCheck().keys()], expected)
}

/** A removal that one node missed, which had a copy and is down now; the others have had time to let go of what they need not remember. */
function removedWhileOneSlept() {
  const { put, ...rest } = store()
  const { simulation, ledger } = rest
  const object = put()
  simulation.run(5000)
  const sleeper = simulation.nodes[ledger.holders(object.guid).find((host) => host !== 0)!]!
  simulation.crash(sleeper)
  simulation.run(60_000)
  ledger.remove(object)
  simulation.run(90_000)
  assert.equal(object.state, 'removed')
  assert.equal(ledger.rememberers(object.guid).length, object.replicas)
  return { ...rest, sleeper, object }
}

/** All nodes with a copy crash; one of them is back at once with its disk, and has not joined yet. */
function restartLast(simulation: Simulation, ledger: PastLedger, { guid }: LedgerObject): SimNode {
  const [last, ...others] = ledger.holders(guid).map((host) => simulation.nodes[host]!)
  simulation.crash(last!)
  simulation.restart(last!)
  for (const node of others) simulation.crash(node)
  return last!
}

function notFound(command: number): PastEvent {
  return { type: 'past:done', command, outcome: { ok: false, error: new NotFoundError('broken by hand') } }
}

function store({ nodes = 20, virtualNodes = 1, replicas = 5 } = {}) {
  const violations = new Violations()
  const ledger: PastLedger = new PastLedger(() => simulation, violations, pastryDefaults.leafSetSize / 2 + 1)
  const simulation: Simulation = new Simulation({
    seed: 1,
    nodes,
    virtualNodes,
    topology: uniform(20),
    overlay: pastry(),
    applications: (_host, prng) => [new PastNode({}, prng)],
    onDisk: ledger.onDisk,
  })
  ledger.watch(simulation)
  simulation.joinAll({ gapMs: 100 })
  simulation.run(10_000)
  let count = 0
  const put = (): LedgerObject => {
    const object = ledger.put(simulation.nodes[0]!, Uint8Array.of(1, 2, 3, count++), { named: false, replicas })!
    simulation.run(2000)
    assert.equal(object.state, 'put')
    return object
  }
  return { simulation, ledger, violations, put }
}
