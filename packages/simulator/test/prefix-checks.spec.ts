import assert from 'node:assert/strict'
import { sharedPrefixDigits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { checkHoles, checkSiblings, countSlots } from '../src/prefix-checks.ts'
import type { NeighborMapView } from '../src/prefix-checks.ts'
import type { SimNode, Simulation } from '../src/simulation.ts'
import { network } from './sound-network.ts'

describe('the checks of prefix routing', () => {
  it('no false hole: find an empty slot that somebody would fill, and one that only a dead node fills', () => {
    const { simulation, violations } = network()
    const maps = new Map(simulation.nodes.map((node) => [node, perfectMap(simulation, node)]))
    const checkAll = () => checkHoles(simulation, violations, { digitBits: 4, mapOf: (node) => maps.get(node)! })
    checkAll()
    assert.equal(violations.total, 0)
    const [a, b] = [simulation.nodes[5]!, simulation.nodes[6]!]
    // The 30 ids of this seed do not all differ in their first digit; these two do.
    assert.notEqual(a.id[0], b.id[0])
    const others = simulation.nodes.filter((node) => node.id[0] === b.id[0] && node !== b)
    maps.set(a, {
      slot: (level, digit) => (level === 0 && digit === parseInt(b.id[0]!, 16) ? [] : perfectMap(simulation, a).slot(level, digit)),
    })
    checkAll()
    const counted = countSlots(simulation, { digitBits: 4, mapOf: (node) => maps.get(node)! })
    assert.equal(counted.filled, counted.ideal - 1)
    assert.match(violations.kept[0]!.detail, new RegExp(`slot 0/${b.id[0]} of ${a.id.slice(0, 8)}.* is empty`))
    maps.set(a, perfectMap(simulation, a))
    const dead = b.process!.self
    maps.set(a, {
      slot: (level, digit) => (level === 0 && digit === parseInt(b.id[0]!, 16) ? [dead] : perfectMap(simulation, a).slot(level, digit)),
    })
    simulation.crash(b)
    checkAll()
    assert.equal(violations.total, others.length > 0 ? 2 : 1)
  })

  it('sibling groups exact: find one that lacks a member, has one too many, or the nearest last', () => {
    const { simulation, violations } = network()
    const checkAll = () => checkSiblings(simulation, violations, { digitBits: 4, siblingsMin: 31 })
    // With groups of at least 31, all 30 nodes are each other's siblings.
    for (const node of simulation.nodes) {
      const refs = simulation.nodes.filter((other) => other !== node).map((other) => other.process!.self)
      const shared = (ref: NodeRef) => sharedPrefixDigits(ref.id, node.id, 4)
      node.kbr.overlay.neighborSet = () => refs.sort((x, y) => shared(y) - shared(x))
    }
    checkAll()
    assert.equal(violations.total, 0)
    const { overlay } = simulation.nodes[5]!.kbr
    const own = overlay.neighborSet.bind(overlay)
    for (const change of [own(99).slice(1), [...own(99), overlay.self], own(99).toReversed()]) {
      overlay.neighborSet = () => change
      checkAll()
    }
    assert.deepEqual([...violations.byCheck()], [['sibling groups exact', 3]])
  })

  it('sibling groups exact: let a node know cousins, in whose group it is though they are not in its own', () => {
    const { simulation, violations } = network()
    // Groups of two: those with the same first digit. Who is alone with its digit has everybody in its group, and so is a cousin of everybody.
    const ids = simulation.members.sorted
    const alone = ids.find((id) => ids.every((other) => other === id || other[0] !== id[0]))!
    const paired = ids.find((id) => ids.some((other) => other !== id && other[0] === id[0]))!
    const group = (id: Guid) => ids.filter((other) => other !== id && other[0] === id[0])
    for (const node of simulation.nodes) {
      const known = group(node.id).length > 0 ? group(node.id) : ids.filter((id) => id !== node.id)
      set(simulation, node, known)
    }
    const checkAll = () => checkSiblings(simulation, violations, { digitBits: 4, siblingsMin: 2 })
    const node = simulation.nodes.find(({ id }) => id === paired)!
    checkAll()
    assert.equal(violations.total, 0)
    set(simulation, node, [...group(paired), alone])
    checkAll()
    assert.equal(violations.total, 0)
    set(simulation, node, [...group(paired), ids.find((id) => id[0] !== paired[0] && group(id).length > 0)!])
    checkAll()
    assert.equal(violations.total, 1)
  })
})

/** Makes the node name these neighbours, those with the longest common prefix first. */
function set(simulation: Simulation, node: SimNode, ids: readonly Guid[]): void {
  const shared = (ref: NodeRef) => sharedPrefixDigits(ref.id, node.id, 4)
  const refs = ids.map((id) => simulation.members.of(id)!.self).sort((a, b) => shared(b) - shared(a))
  node.kbr.overlay.neighborSet = () => refs
}

/** Every slot holds everybody who qualifies. */
function perfectMap(simulation: Simulation, node: SimNode): NeighborMapView {
  const fits = (id: Guid, level: number, digit: number) => id.startsWith(node.id.slice(0, level) + digit.toString(16))
  const refs = simulation.members.all().map((process) => process.self)
  return { slot: (level, digit) => refs.filter((ref) => fits(ref.id, level, digit)) }
}
