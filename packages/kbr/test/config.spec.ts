import assert from 'node:assert/strict'
import { InvalidValueError, configOf } from '../src/index.ts'

const defaults = { retries: 2, waitMs: 500, share: 0.5 }
const bounds = { retries: [0, 10], waitMs: [10, 1_000] } as const

describe('configOf', () => {
  it('gives the defaults with the changes, the bounds included', () => {
    assert.deepEqual(configOf('toy', defaults, {}, bounds), defaults)
    assert.deepEqual(configOf('toy', defaults, { retries: 0, waitMs: 1_000, share: 2 }, bounds), { retries: 0, waitMs: 1_000, share: 2 })
  })

  it('names the field that is beyond its bounds or no whole number, with its value and the bounds', () => {
    for (const waitMs of [9, 1_001, 10.5, NaN, '10' as never]) {
      assert.throws(
        () => configOf('toy', defaults, { waitMs }, bounds),
        (error) => error instanceof InvalidValueError && error.message.includes('toy.waitMs') && error.message.includes('10 to 1000'),
      )
    }
  })

  it('names a change that is no parameter', () => {
    assert.throws(() => configOf('toy', defaults, { retires: 3 } as never, bounds), /toy\.retires.*no such parameter/)
  })
})
