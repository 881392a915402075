import assert from 'node:assert/strict'
import { guid } from '@plaxton/testbed'
import { outranks } from '../src/claim.ts'
import { Territory } from '../src/territory.ts'
import { claim, zone } from './helpers.ts'

describe('a claim', () => {
  const [a, b] = [guid('0a'), guid('0b')]

  it('outranks those of an earlier version, and a caretaker’s of the same', () => {
    assert.ok(outranks(claim('0', 2, true), b, claim('01', 1), a))
    assert.ok(outranks(claim('0', 1), b, claim('0', 1, true), a))
  })

  it('counts before an equal one when its owner has the lesser id', () => {
    assert.ok(outranks(claim('0', 1), a, claim('01', 1), b))
    assert.ok(!outranks(claim('01', 1), b, claim('0', 1), a))
  })
})

describe('a territory', () => {
  const zones = (territory: Territory): string[] => territory.holdings.map((holding) => holding.zone)

  it('keeps what is left when a part is yielded', () => {
    const territory = new Territory()
    territory.add(claim('0'), { now: 0 })
    territory.yield(zone('010'))
    assert.deepEqual(zones(territory), ['00', '011'])
  })

  it('adds of a claim only what is not held', () => {
    const territory = new Territory()
    territory.add(claim('010'), { now: 0 })
    territory.add(claim('01'), { now: 1 })
    assert.deepEqual(zones(territory), ['010', '011'])
  })

  it('does not answer for what somebody else has not let go of', () => {
    const territory = new Territory()
    territory.add(claim('1'), { now: 0, waitsFor: guid('0a') })
    assert.ok(!territory.isSettled)
    assert.ok(!territory.release(guid('0b')))
    assert.ok(territory.release(guid('0a')))
    assert.ok(territory.isSettled)
  })

  it('merges siblings into their parent, again and again, with a version that outranks both', () => {
    const territory = new Territory()
    for (const each of [claim('00', 1), claim('010', 2), claim('011', 5)]) territory.add(each, { now: 0 })
    assert.ok(territory.merge(0, 10))
    assert.deepEqual(
      territory.holdings.map(({ zone: bits, version }) => [bits, version]),
      [['0', 7]],
    )
  })

  it('keeps a zone apart that it takes care of, until its owner has had time to come back', () => {
    const territory = new Territory()
    territory.add(claim('00'), { now: 0 })
    territory.add(claim('01', 3, true), { now: 100 })
    assert.ok(!territory.merge(99, 150))
    assert.ok(territory.merge(100, 250))
  })
})
