import assert from 'node:assert/strict'
import { DolrNode } from '@plaxton/dolr'
import type { DolrEvent } from '@plaxton/dolr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { DolrLedger } from '../src/dolr-ledger.ts'
import { Simulation } from '../src/simulation.ts'
import type { SimNode } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'
import { Violations } from '../src/violations.ts'

// As for the other checkers: each finds nothing in a sound network, and something once that has been broken by hand.

describe('the checks of object location', () => {
  it('find nothing wrong with objects that were published, sent to, located and withdrawn', () => {
    const { simulation, ledger, violations, publish } = world()
    const [kept, withdrawn] = [publish(1, 2), publish(3)]
    ledger.send(simulation.nodes[9]!, kept, 2)
    ledger.locate(simulation.nodes[8]!, kept, 1)
    ledger.unpublish(simulation.nodes[3]!, withdrawn)
    simulation.run(15_000)
    assert.deepEqual(
      { ...ledger.counts, locates: 0, locatesOk: 0, sends: 0, sendsOk: 0 },
      { ...none, publishes: 3, publishesOk: 3, unpublishes: 1, unpublishesOk: 1 },
    )
    assert.deepEqual([ledger.counts.sendsOk, ledger.counts.locatesOk], [1, 1])
    checkAll(simulation, ledger)
    assert.deepEqual(violations.kept, [])
  })

  it('pointers name hosts: find one to a node that does not host the object', () => {
    const { simulation, ledger, violations, publish } = world()
    publish(1)
    dolrOf(simulation.nodes[7]!).pointersTo = () => [simulation.nodes[2]!.process!.self]
    ledger.checkPointers()
    assert.deepEqual([...violations.byCheck()], [['pointers name hosts', 1]])
  })

  it('published objects are found: find a node that does not find one', () => {
    const { simulation, ledger, violations, publish } = world()
    publish(1)
    const dolr = dolrOf(simulation.nodes[7]!)
    dolr.locate = (_request, _now, fx) => {
      fx.emit({ type: 'dolr:done', command: 77, outcome: { ok: false, error: new NotFoundError('broken by hand') } } as DolrEvent)
      return 77
    }
    ledger.findEverything(simulation.simulator.stream('checks'))
    assert.deepEqual([...violations.byCheck().keys()], ['published objects are found'])
    assert.match(violations.kept[0]!.detail, /from host 7: broken by hand/)
  })

  it('what nobody hosts is not found: find a node that names a host nevertheless', () => {
    const { simulation, ledger, violations, publish } = world()
    const guid = publish(1)
    ledger.unpublish(simulation.nodes[1]!, guid)
    simulation.run(15_000)
    for (const node of simulation.nodes) {
      let number = 1000
      dolrOf(node).locate = (_request, _now, fx) => {
        fx.emit({ type: 'dolr:done', command: ++number, outcome: { ok: true, value: [node.process!.self] } } as DolrEvent)
        return number
      }
    }
    ledger.findEverything(simulation.simulator.stream('checks'))
    assert.deepEqual([...violations.byCheck().keys()], ['what nobody hosts is not found'])
  })

  it('messages go to hosts only, to at most n of them, and to each once', () => {
    const { simulation, ledger, violations, publish } = world()
    const guid = publish(1, 2)
    ledger.send(simulation.nodes[9]!, guid, 1)
    simulation.run(5000)
    assert.equal(violations.total, 0)
    // Both hosts once more: one had it already, for the other it is one delivery too many.
    for (const host of [1, 2, 5]) deliver(simulation, host, guid)
    assert.deepEqual(
      [...violations.byCheck()].sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['a host has a message once', 1],
        ['at most n hosts have a message', 2],
        ['messages go to hosts only', 1],
      ],
    )
  })

  it('at most n hosts have a message: excuse a second one when the first has died meanwhile', () => {
    const { simulation, ledger, violations, publish } = world()
    const guid = publish(1, 2)
    // Neither answers, so that whoever has the message dies with it.
    for (const host of [1, 2]) dolrOf(simulation.nodes[host]!).answer = () => {}
    ledger.send(simulation.nodes[9]!, guid, 1)
    simulation.run(500)
    const first = simulation.nodes.find((node) => node.running && dolrOf(node).stats().deliveries > 0)!
    simulation.crash(first)
    simulation.run(60_000)
    assert.deepEqual([ledger.counts.extraDeliveries, violations.total], [1, 0])
  })

  for (const [what, deaf, wanted] of [
    ['excuse a second one when the answers of both are lost', [9], 0],
    ['do not excuse a second one when only what they send to others is lost', [4, 5, 6, 7, 8], 1],
  ] as const) {
    it(`at most n hosts have a message: ${what}`, () => {
      const { simulation, ledger, violations, publish } = world()
      const guid = publish(1, 2)
      const receivers: number[] = []
      simulation.onEvent((node, event) => event.type === 'dolr:message' && receivers.push(node.host.index))
      for (const host of deaf) for (const from of [1, 2]) simulation.network.setLinkLoss(from, host, 1)
      ledger.send(simulation.nodes[9]!, guid, 1)
      simulation.run(5000)
      // With answers that arrive, nobody turns to the other host: one more by hand.
      if (receivers.length === 1) deliver(simulation, receivers[0] === 1 ? 2 : 1, guid)
      assert.deepEqual([ledger.counts.extraDeliveries, violations.total], [1, wanted])
    })
  }

  it('answers come from hosts: find one from a node that has not had the message', () => {
    const { simulation, ledger, violations, publish } = world()
    const guid = publish(1)
    const node = simulation.nodes[9]!
    const dolr = dolrOf(node)
    dolr.send = () => 77
    ledger.send(node, guid, 1)
    const { self } = simulation.nodes[2]!.process!
    const reply: DolrEvent = { type: 'dolr:reply', command: 77, host: self, payload: Uint8Array.of(0) }
    simulation.command(node, dolr, (fx) => fx.emit(reply))
    assert.deepEqual([...violations.byCheck()], [['answers come from hosts', 1]])
  })

  it('every command ends once: find one that ends twice, and one that never ends', () => {
    const { simulation, ledger, violations, publish } = world()
    const guid = publish(1)
    const node = simulation.nodes[9]!
    const dolr = dolrOf(node)
    const done: DolrEvent = { type: 'dolr:done', command: 77, outcome: { ok: true, value: [] } }
    dolr.locate = () => 77
    ledger.locate(node, guid, 1)
    simulation.command(node, dolr, (fx) => [fx.emit(done), fx.emit(done)])
    assert.match(violations.kept[0]!.detail, /after its end/)
    dolr.locate = () => 78
    ledger.locate(node, guid, 1)
    simulation.run(20_000)
    ledger.checkEnded()
    assert.match(violations.kept[1]!.detail, /has not ended/)
    assert.deepEqual([...violations.byCheck()], [['every command ends once', 2]])
  })
})

const none = {
  publishes: 0,
  publishesOk: 0,
  unpublishes: 0,
  unpublishesOk: 0,
  sends: 0,
  sendsOk: 0,
  locates: 0,
  locatesOk: 0,
  extraDeliveries: 0,
}

function dolrOf(node: SimNode): DolrNode {
  return node.application('dolr') as DolrNode
}

function checkAll(simulation: Simulation, ledger: DolrLedger): void {
  ledger.checkPointers()
  ledger.findEverything(simulation.simulator.stream('checks'))
  ledger.checkEnded()
}

function world() {
  const violations = new Violations()
  const ledger: DolrLedger = new DolrLedger(() => simulation, violations)
  const simulation: Simulation = new Simulation({
    seed: 1,
    nodes: 20,
    topology: uniform(20),
    overlay: pastry(),
    applications: (_host, prng) => [new DolrNode({}, prng)],
  })
  ledger.watch(simulation)
  simulation.joinAll({ gapMs: 100 })
  simulation.run(10_000)
  const prng = simulation.simulator.stream('objects')
  const publish = (...hosts: number[]): Guid => {
    const guid = randomGuid(prng)
    for (const host of hosts) ledger.publish(simulation.nodes[host]!, guid)
    simulation.run(3000)
    return guid
  }
  return { simulation, ledger, violations, publish }
}

/** A host has the first message that was sent, by hand. */
function deliver(simulation: Simulation, host: number, guid: Guid): void {
  const node = simulation.nodes[host]!
  const event: DolrEvent = { type: 'dolr:message', delivery: 999, guid, message: Uint8Array.of(0, 0, 0, 0) }
  simulation.command(node, dolrOf(node), (fx) => fx.emit(event))
}
