import assert from 'node:assert/strict'
import { InvalidValueError } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { ref } from '@plaxton/testbed'
import { tapestry, tapestryDefaults } from '../src/index.ts'

describe('the configuration', () => {
  it('has defaults that it accepts', () => {
    const node = tapestry(tapestryDefaults).create(ref('11') as NodeRef, Prng.fromSeed(1))
    assert.equal(node.name, 'tapestry')
    assert.equal(tapestry().name, 'tapestry')
  })

  it('names the field that is wrong, its value and what is allowed', () => {
    for (const [changes, message] of [
      [{ digitBits: 0 }, 'tapestry.digitBits is 0, allowed is a whole number from 1 to 5'],
      [{ digitBits: 8 }, 'tapestry.digitBits is 8, allowed is a whole number from 1 to 5'],
      [{ redundancy: 2.5 }, 'tapestry.redundancy is 2.5, allowed is a whole number from 1 to 8'],
      [{ siblingsMin: 1 }, 'tapestry.siblingsMin is 1, allowed is a whole number from 2 to 64'],
      [{ probeTimeoutMinMs: 4_000 }, 'tapestry.probeTimeoutMinMs is 4000, allowed is at most probeTimeoutMs, 3000'],
      [{ leafSetSize: 16 }, 'tapestry.leafSetSize is 16, allowed is nothing: there is no such parameter'],
    ] as const) {
      assert.throws(
        () => tapestry(changes as object),
        (error) => error instanceof InvalidValueError && error.message === message,
      )
    }
  })
})
