import assert from 'node:assert/strict'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import { ref } from '@plaxton/testbed'
import { pastry, pastryDefaults } from '../src/index.ts'
import { pastryConfig } from '../src/config.ts'

describe('pastry(config)', () => {
  it('makes nodes with the defaults', () => {
    const node = pastry().create(ref('80'), Prng.fromSeed(1))
    assert.equal(node.name, 'pastry')
    assert.equal(node.self.id, '80')
    assert.equal(node.ready, false)
    assert.deepEqual(pastryConfig(), pastryDefaults)
  })

  it('leaves room for the default number of replicas, k <= |L|/2 + 1', () => {
    assert.ok(pastryDefaults.leafSetSize / 2 + 1 >= 5)
  })

  it('refuses a value outside its range with an error that names the field, the value and the range', () => {
    for (const [field, value] of [
      ['digitBits', 0],
      ['digitBits', 9],
      ['digitBits', 2.5],
      ['leafSetSize', 15],
      ['leafSetSize', 0],
      ['leafSetSize', 66],
      ['neighborhoodSetSize', -1],
      ['heartbeatMs', NaN],
      ['probeTimeoutMinMs', 5_000],
      ['joinMs', Infinity],
    ] as const) {
      assert.throws(
        () => pastry({ [field]: value }),
        (error) => error instanceof InvalidValueError && error.field === `pastry.${field}` && Object.is(error.value, value),
        field,
      )
    }
  })
  it('refuses a parameter that there is not, naming it', () => {
    const misspelt: object = { leafSetSise: 16 }
    assert.throws(() => pastry(misspelt), {
      name: 'InvalidValueError',
      field: 'pastry.leafSetSise',
      message: 'pastry.leafSetSise is 16, allowed is nothing: there is no such parameter',
    })
  })
})
