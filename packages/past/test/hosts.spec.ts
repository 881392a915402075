import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, NodeRef } from '@plaxton/kbr'
import { mayBelongTo } from '../src/comparison.ts'
import { includesOwnHost, isCutShort, nodesAround, replicaSet } from '../src/hosts.ts'

const key = '00' as Guid

/** A node called by its host and a number: `a1`. */
const node = (name: string): NodeRef => ({ id: name as Guid, address: name, epoch: 1 })
const nodes = (names: string): NodeRef[] => names.split(' ').map(node)
const namesOf = (refs: readonly NodeRef[]): string => refs.map(({ id }) => id).join(' ')

/** What PAST sees of an overlay that knows `order` for every key, and no more. */
function effects(order: string, self = order.split(' ')[0]!): AppEffects {
  const all = nodes(order)
  return {
    self: node(self),
    replicaSet: (_: Guid, count: number) => all.slice(0, count),
    neighborSet: (count: number) => all.filter(({ id }) => id !== self).slice(0, count),
    hostOf: ({ id }: NodeRef) => id.charAt(0),
  } as unknown as AppEffects
}

describe('replicas on hosts', () => {
  it('are the first nodes of different hosts, in the order of the overlay', () => {
    const fx = effects('a1 a2 b1 a3 b2 c1 b3 d1')
    assert.equal(namesOf(replicaSet(key, 1, fx)), 'a1')
    assert.equal(namesOf(replicaSet(key, 3, fx)), 'a1 b1 c1')
    assert.equal(namesOf(replicaSet(key, 4, fx)), 'a1 b1 c1 d1')
  })

  it('are fewer than asked when there are fewer hosts, or the view does not reach further', () => {
    assert.equal(namesOf(replicaSet(key, 5, effects('a1 a2 b1 b2'))), 'a1 b1')
    assert.equal(namesOf(replicaSet(key, 0, effects('a1 a2'))), '')
  })

  it('are what the overlay says where no host has two nodes, or the driver knows of no hosts', () => {
    assert.equal(namesOf(replicaSet(key, 3, effects('a1 b1 c1 d1'))), 'a1 b1 c1')
    const blind = { ...effects('a1 a2 a3 a4'), hostOf: undefined } as unknown as AppEffects
    assert.equal(namesOf(replicaSet(key, 3, blind)), 'a1 a2 a3')
  })

  it('are completed by the root with its neighbours when the overlay is not certain of an order that names enough hosts', () => {
    // Certain of the first four only.
    const partly = (self: string): AppEffects => {
      const fx = effects('a1 b1 a2 b2 c1 a3 c2 d1', self)
      return { ...fx, replicaSet: (_: Guid, count: number) => nodes('a1 b1 a2 b2').slice(0, count) } as unknown as AppEffects
    }
    assert.equal(namesOf(replicaSet(key, 2, partly('a1'))), 'a1 b1')
    assert.equal(namesOf(replicaSet(key, 4, partly('a1'))), 'a1 b1 c1 d1')
    assert.equal(namesOf(nodesAround(key, 3, partly('a1'))), 'a1 b1 a2 b2 c1')
    assert.equal(namesOf(replicaSet(key, 4, partly('b1'))), 'a1 b1', 'it is not the root')
    assert.equal(namesOf(replicaSet(key, 9, partly('a1'))), 'a1 b1 c1 d1')
    assert.equal(isCutShort(key, nodes('a1 b1 c1 d1'), partly('a1')), true, 'there may be more than its neighbours')
  })

  it('may have been on any node up to the last host needed', () => {
    const fx = effects('a1 a2 b1 a3 b2 c1 b3 d1')
    assert.equal(namesOf(nodesAround(key, 2, fx)), 'a1 a2 b1')
    assert.equal(namesOf(nodesAround(key, 3, fx)), 'a1 a2 b1 a3 b2 c1')
    assert.equal(namesOf(nodesAround(key, 9, fx)), 'a1 a2 b1 a3 b2 c1 b3 d1')
  })

  it('keep their order when a host fails with all its nodes', () => {
    const name = fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: 1, max: 8 }))
      .map(([host, number]) => `${host}${number}`)
    const order = fc.uniqueArray(name, { minLength: 2, maxLength: 40 })
    fc.assert(
      fc.property(order, fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), (names, failed) => {
        const left = names.filter((each) => !each.startsWith(failed))
        fc.pre(left.length > 0)
        const before = replicaSet(key, 9, effects(names.join(' '))).filter(({ id }) => !id.startsWith(failed))
        assert.equal(namesOf(replicaSet(key, 9, effects(left.join(' ')))), namesOf(before))
      }),
    )
  })

  it('are taken on at the word of a neighbour by a node that cannot see where they belong', () => {
    const beyond = { ...effects('a1 b1 c1', 'a1'), replicaSet: () => [] } as unknown as AppEffects
    assert.equal(mayBelongTo([], 3, node('b1'), beyond), true)
    assert.equal(mayBelongTo([], 3, node('z1'), beyond), false)
    assert.equal(mayBelongTo([], 3, node('b1'), { ...beyond, hostOf: undefined } as unknown as AppEffects), false)
    assert.equal(mayBelongTo(nodes('b1 c1 d1'), 3, node('b1'), effects('a1 b1 c1')), false, 'it sees that they do not')
    assert.equal(mayBelongTo(nodes('b1 a2'), 3, node('b1'), effects('a1 b1 a2')), false, 'another node of this host is to have them')
  })

  it('stand for all nodes of their host', () => {
    assert.equal(includesOwnHost(nodes('b1 a2'), effects('a1')), true)
    assert.equal(includesOwnHost(nodes('b1 c2'), effects('a1')), false)
  })

  it('are all there can be when every neighbour is on one of their hosts', () => {
    assert.equal(isCutShort(key, nodes('a1 b1'), effects('a1 a2 b1 b2')), false)
    assert.equal(isCutShort(key, nodes('a1 b1'), effects('a1 a2 b1 b2 c1')), true)
    assert.equal(isCutShort(key, nodes('b1 c1'), effects('a1 b1 c1')), true)
  })
})
