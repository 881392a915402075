import assert from 'node:assert/strict'
import type { RealitiesNode } from '@plaxton/can'
import type { Overlay } from '@plaxton/kbr'
import type { OverlayName, OverlayVariant } from '../src/overlays.ts'
import { overlays } from '../src/overlays.ts'
import { checkRing } from '../src/ring-checks.ts'
import { Simulation } from '../src/simulation.ts'
import { uniform } from '../src/topology.ts'
import { Violations } from '../src/violations.ts'
import { checkSiblingLists } from '../src/xor-checks.ts'
import type { BucketsView } from '../src/xor-checks.ts'
import { checkTiling } from '../src/zone-ownership.ts'
import { network } from './sound-network.ts'

// What the tables of Chord, Kademlia and CAN are held against; views are made from the truth, and then broken by hand.

describe('the checks of the ring', () => {
  it('lists exact: find one that lacks a member, has one too many, or two exchanged', () => {
    const { simulation, violations } = network()
    const perfect = ring(simulation)
    const victim = simulation.nodes[5]!
    const own = perfect(victim)
    checkRing(simulation, violations, { successors: 4, predecessors: 3, viewOf: perfect })
    assert.equal(violations.total, 0)
    const [first, second, ...rest] = own.successors
    const changes = [
      { ...own, successors: [first!, ...rest] },
      { ...own, successors: [first!, rest[0]!, second!, rest[1]!] },
      { ...own, predecessors: [...own.predecessors, victim.process!.self] },
    ]
    for (const changed of changes)
      checkRing(simulation, violations, {
        successors: 4,
        predecessors: 3,
        viewOf: (node) => (node === victim ? changed : perfect(node)),
      })
    assert.deepEqual([...violations.byCheck()], [['lists exact', 3]])
  })

  it('one ordered cycle: find one that leaves a member out, and one that goes twice round', () => {
    const { simulation, violations } = network()
    const perfect = ring(simulation)
    const { sorted } = simulation.members
    const view = (step: (position: number) => number) => (node: { readonly id: string }) => {
      const at = sorted.findIndex((id) => id === node.id)
      return { successors: [simulation.members.of(sorted[step(at) % sorted.length]!)!.self], predecessors: [] }
    }
    const check = { successors: 1, predecessors: 0 }
    checkRing(simulation, violations, { ...check, viewOf: view((at) => at + 1) })
    assert.equal(violations.total, 0)
    checkRing(simulation, violations, { ...check, viewOf: view((at) => (at === 3 ? 5 : at + 1)) })
    assert.equal(violations.byCheck().get('one ordered cycle'), 1)
    assert.match(violations.kept[0]!.detail, /29 of 30 members/)
    // Of 30, every second one first, then the others: one cycle with everybody on it, twice round.
    checkRing(simulation, violations, { ...check, viewOf: view((at) => (at === 28 ? 1 : at === 29 ? 0 : at + 2)) })
    assert.equal(violations.byCheck().get('one ordered cycle'), 2)
    assert.ok(violations.kept.some(({ detail }) => detail === 'the cycle goes 2 times round the ring'))
    assert.equal(perfect(simulation.nodes[0]!).successors.length, 4)
  })

  function ring({ members }: Simulation) {
    const refs = (ids: readonly string[]) => ids.map((id) => members.of(id as never)!.self)
    return ({ id }: { readonly id: string }) => ({
      successors: refs(members.successors(id as never, 4)),
      predecessors: refs(members.predecessors(id as never, 3)),
    })
  }
})

describe('the checks of Kademlia', () => {
  it('sibling lists exact, no empty bucket: find a sibling less, two exchanged, and a bucket without a member', () => {
    const { simulation, violations } = atRest('kademlia')
    const bucketsOf = (node: { kbr: { overlay: Overlay } }) => node.kbr.overlay as unknown as BucketsView
    const options = { least: 12, places: 30 }
    checkSiblingLists(simulation, violations, { ...options, bucketsOf })
    assert.equal(violations.total, 0)
    const victim = simulation.nodes[3]!
    checkSiblingLists(simulation, violations, {
      ...options,
      bucketsOf: (node) => (node === victim ? { bucket: () => ({ contacts: [] }) } : bucketsOf(node)),
    })
    const holes = violations.byCheck().get('no empty bucket') ?? 0
    assert.ok(holes >= 2)
    const { overlay } = victim.kbr
    const own = overlay.neighborSet(99)
    for (const changed of [own.slice(1), [own[1]!, own[0]!, ...own.slice(2)]]) {
      overlay.neighborSet = () => changed
      checkSiblingLists(simulation, violations, { ...options, bucketsOf })
    }
    assert.deepEqual(
      [...violations.byCheck()],
      [
        ['no empty bucket', holes],
        ['sibling lists exact', 2],
      ],
    )
  })
})

describe('the check of CAN', () => {
  it('zones tile the space: find a hole, an overlap, and a claim to what is not answered for', () => {
    const { simulation, violations } = atRest('can')
    checkTiling(simulation, violations)
    assert.equal(violations.total, 0)
    const overlay = simulation.nodes[3]!.kbr.overlay as Overlay & { readonly zones: readonly string[] }
    const own = overlay.zones
    const broken = (zones: readonly string[], words: RegExp): void => {
      const before = violations.total
      Object.defineProperty(overlay, 'zones', { value: zones, configurable: true })
      checkTiling(simulation, violations)
      assert.ok(violations.total > before)
      assert.ok(
        violations.kept.some(({ detail }) => words.test(detail)),
        violations.kept.map(({ detail }) => detail).join('\n'),
      )
    }
    broken([`${own[0]!}0`], /volumes add up/)
    broken([own[0]!.slice(0, -1)], /overlaps/)
    broken([], /claims \d+ zones and answers for 0/)
  })

  it('in every reality, where there are several', () => {
    const { simulation, violations } = atRest('can', { realities: 2 })
    checkTiling(simulation, violations)
    assert.equal(violations.total, 0)
    const { realities } = simulation.nodes[3]!.kbr.overlay as RealitiesNode
    const own = realities[1]!.zones[0]!
    Object.defineProperty(realities[1], 'zones', { value: [`${own}0`] })
    checkTiling(simulation, violations)
    assert.ok(violations.kept.some(({ detail }) => /volumes add up/.test(detail)))
  })
})

function atRest(name: OverlayName, variant: OverlayVariant = {}) {
  const { overlay, ownership } = overlays[name](variant)
  const simulation = new Simulation({ seed: 1, nodes: 12, topology: uniform(20), overlay, ownership })
  simulation.joinAll({ gapMs: 1000 })
  simulation.run(120_000)
  return { simulation, violations: new Violations() }
}
