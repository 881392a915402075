import assert from 'node:assert/strict'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import { ref } from '@plaxton/testbed'
import { CanNode, can, canDefaults } from '../src/index.ts'
import { RealitiesNode } from '../src/realities.ts'

describe('the configuration', () => {
  it('has defaults that it accepts', () => {
    const node = can(canDefaults).create(ref('11'), Prng.fromSeed(1))
    assert.equal(node.name, 'can')
    assert.equal(can().name, 'can')
  })

  it('makes plain nodes of one reality', () => {
    assert.ok(can({ realities: 1 }).create(ref('11'), Prng.fromSeed(1)) instanceof CanNode)
    assert.ok(can({ realities: 2 }).create(ref('11'), Prng.fromSeed(1)) instanceof RealitiesNode)
  })

  it('names the field that is wrong, its value and what is allowed', () => {
    for (const [changes, message] of [
      [{ dimensions: 0 }, 'can.dimensions is 0, allowed is a whole number from 1 to 16'],
      [{ rttWeighted: 2 }, 'can.rttWeighted is 2, allowed is a whole number from 0 to 1'],
      [{ realities: 0 }, 'can.realities is 0, allowed is a whole number from 1 to 4'],
      [{ realities: 5 }, 'can.realities is 5, allowed is a whole number from 1 to 4'],
      [{ groupMin: 1 }, 'can.groupMin is 1, allowed is a whole number from 2 to 32'],
      [{ probeTimeoutMinMs: 4_000 }, 'can.probeTimeoutMinMs is 4000, allowed is at most probeTimeoutMs, 3000'],
      [{ peersPerZone: 4, groupMin: 3 }, 'can.peersPerZone is 4, allowed is at most groupMin, 3'],
      [{ leafSetSize: 16 }, 'can.leafSetSize is 16, allowed is nothing: there is no such parameter'],
    ] as const) {
      assert.throws(
        () => can(changes as object),
        (error) => error instanceof InvalidValueError && error.message === message,
      )
    }
  })
})
