import assert from 'node:assert/strict'
import { routingConfig } from '../src/config.ts'
import { routingDefaults } from '../src/index.ts'

describe('the configuration', () => {
  it('is the defaults with the changes', () => {
    assert.deepEqual(routingConfig({ hopLimit: 5 }), { ...routingDefaults, hopLimit: 5 })
    assert.deepEqual(routingConfig(), routingDefaults)
  })

  it('names the field, the value and what is allowed', () => {
    assert.throws(() => routingConfig({ hopLimit: 256 }), {
      name: 'InvalidValueError',
      field: 'routing.hopLimit',
      value: 256,
      allowed: 'a whole number from 1 to 255',
    })
  })

  it('refuses what is no whole number, and what does not go together', () => {
    for (const changes of [
      { attempts: 0 },
      { stayMs: 1.5 },
      { heldMax: Infinity },
      { sightingSlots: 48 },
      { rtoMinMs: 500, rtoMaxMs: 400 },
    ]) {
      assert.throws(() => routingConfig(changes), { code: 'ERR_INVALID_VALUE' })
    }
  })
})
