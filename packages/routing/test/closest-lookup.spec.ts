import assert from 'node:assert/strict'
import { compareByXor } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Metric, NodeRef } from '@plaxton/kbr'
import { ClosestLookup } from '../src/closest-lookup.ts'
import { ref } from './support.ts'

const key = '00' as Guid
const refs = (...ids: string[]): NodeRef[] => ids.map((id) => ref(id))

/** What a node knows that measures by XOR. */
function metric(...known: string[]): Metric {
  const closest = (wanted: Guid, count: number): NodeRef[] =>
    refs(...known)
      .sort((a, b) => compareByXor(a.id, b.id, wanted))
      .slice(0, count)
  return { compare: compareByXor, closest, width: 2 }
}

describe('an iterative lookup by closeness', () => {
  it('takes the closest that answered for the root, whatever anybody claims', () => {
    const lookup = new ClosestLookup(ref('ff'), true, metric('40', '80'), key, { alpha: 2, width: 1, paths: 1 })
    assert.deepEqual([lookup.next()?.id, lookup.next()?.id], ['40', '80'])
    lookup.onFound(ref('80'), true, [])
    lookup.onFound(ref('40'), false, refs('10', '20'))
    assert.deepEqual([lookup.next()?.id, lookup.next()?.id], ['10', '20'])
    lookup.onFailure(ref('10'))
    lookup.onFound(ref('20'), false, refs('10'))
    assert.ok(lookup.done)
    assert.deepEqual(lookup.result, { root: ref('20'), nodes: refs('20') })
    assert.equal(lookup.asked, 5)
  })

  it('ends at the source when nobody who answers is closer', () => {
    const lookup = new ClosestLookup(ref('01'), true, metric('40'), key, { alpha: 3, width: 2, paths: 1 })
    lookup.next()
    lookup.onFound(ref('40'), false, [])
    assert.deepEqual(lookup.result, { root: ref('01'), nodes: refs('01', '40') })
  })

  it('does not ask the source, whom the others name as well', () => {
    const lookup = new ClosestLookup(ref('01'), true, metric('40'), key, { alpha: 3, width: 2, paths: 1 })
    lookup.next()
    lookup.onFound(ref('40'), false, refs('01'))
    assert.equal(lookup.next(), undefined)
    assert.ok(lookup.done)
  })

  it('has no result when the source is no member and nobody answers', () => {
    const lookup = new ClosestLookup(ref('01'), false, metric('40'), key, { alpha: 3, width: 2, paths: 1 })
    lookup.next()
    lookup.onFailure(ref('40'))
    assert.ok(lookup.done)
    assert.equal(lookup.result, undefined)
  })

  it('goes several ways that have no node in common', () => {
    const lookup = new ClosestLookup(ref('ff'), true, metric('40', '50', '60', '70'), key, { alpha: 1, width: 1, paths: 4 })
    const first = refs('40', '50', '60', '70').map(() => lookup.next()!.id)
    assert.deepEqual(first, ['40', '50', '60', '70'])
    assert.equal(lookup.next(), undefined)
  })
})
