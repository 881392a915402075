import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { ClosestSearch } from '../src/index.ts'
import type { ClosestSearchConfig } from '../src/index.ts'

/** Ids of two hex digits, close to the key 00 as they are small. */
const ref = (id: string): NodeRef => ({ id: id as Guid, address: `test:${id}`, epoch: 1 })
const refs = (...ids: string[]): NodeRef[] => ids.map(ref)
const ids = (nodes: readonly NodeRef[]): string => nodes.map(({ id }) => id).join(' ')

function search(seeds: string[], changes: Partial<ClosestSearchConfig> = {}): ClosestSearch {
  return new ClosestSearch(refs(...seeds), (a, b) => (a < b ? -1 : a > b ? 1 : 0), { width: 2, alpha: 1, paths: 1, ...changes })
}

/** Everybody who may be asked now. */
function asked(subject: ClosestSearch): string {
  const all: NodeRef[] = []
  for (let node = subject.next(); node !== undefined; node = subject.next()) all.push(node)
  return ids(all)
}

describe('a search for the closest', () => {
  it('asks the closest it knows, and whoever closer is named', () => {
    const subject = search(['80', '40'])
    assert.equal(asked(subject), '40')
    subject.onAnswer('40' as Guid, refs('20', '60'))
    assert.equal(asked(subject), '20')
    subject.onAnswer('20' as Guid, refs('40'))
    assert.ok(subject.done)
    assert.equal(ids(subject.closest), '20 40')
  })

  it('asks alpha at once', () => {
    assert.equal(asked(search(['80', '40', '20'], { alpha: 2, width: 3 })), '20 40')
  })

  it('ends only when the k closest it has seen have answered, whatever comes later', () => {
    const subject = search(['80'], { width: 3, alpha: 3 })
    assert.equal(asked(subject), '80')
    subject.onAnswer('80' as Guid, refs('10', '20', '30', '40'))
    assert.equal(asked(subject), '10 20 30')
    subject.onAnswer('10' as Guid, [])
    subject.onAnswer('20' as Guid, [])
    assert.ok(!subject.done)
    subject.onAnswer('30' as Guid, [])
    assert.ok(subject.done)
  })

  it('passes by who does not answer, and asks nobody twice', () => {
    const subject = search(['20', '40', '60'], { width: 2, alpha: 2 })
    assert.equal(asked(subject), '20 40')
    subject.onFailure('20' as Guid)
    assert.equal(asked(subject), '60')
    subject.onAnswer('40' as Guid, refs('20'))
    subject.onAnswer('60' as Guid, refs('20'))
    assert.equal(asked(subject), '')
    assert.ok(subject.done)
    assert.equal(ids(subject.closest), '40 60')
  })

  it('heeds only the first answer of those it has asked', () => {
    const subject = search(['40', '80'])
    subject.onAnswer('40' as Guid, refs('01'))
    assert.equal(asked(subject), '40')
    subject.onAnswer('40' as Guid, refs('20'))
    subject.onAnswer('40' as Guid, refs('02'))
    assert.equal(asked(subject), '20')
  })

  it('uses no node on two paths: what a liar on one path says leaves the others as they were', () => {
    const subject = search(['40', '50'], { paths: 2, width: 1 })
    assert.equal(asked(subject), '40 50')
    // The first path is led astray, to a node that knows nobody.
    subject.onAnswer('40' as Guid, refs('11'))
    subject.onAnswer('50' as Guid, refs('20', '11'))
    assert.equal(asked(subject), '11 20')
    subject.onAnswer('20' as Guid, refs('10', '11'))
    subject.onAnswer('11' as Guid, [])
    assert.equal(asked(subject), '10')
    subject.onAnswer('10' as Guid, refs('11', '20'))
    assert.ok(subject.done)
    assert.equal(ids(subject.closest), '10')
  })

  it('is done at once when nobody is known', () => {
    assert.ok(search([]).done)
    assert.equal(ids(search([]).closest), '')
  })

  it('ends in a network of liars that names ever more nodes', () => {
    const prng = Prng.fromSeed('liars')
    const subject = new ClosestSearch([ref('ffffffff')], (a, b) => (a < b ? -1 : a > b ? 1 : 0), { width: 20, alpha: 3, paths: 4 })
    let next = 0xffff_0000
    while (!subject.done) {
      const node = subject.next()
      if (node === undefined) break
      subject.onAnswer(
        node.id,
        Array.from({ length: 32 }, () => ref((next -= 1 + prng.nextInt(9)).toString(16))),
      )
    }
    assert.ok(subject.done && subject.askedCount <= 512, `${subject.askedCount} asked`)
  })
})
