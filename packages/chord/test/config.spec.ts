import assert from 'node:assert/strict'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import { ref } from '@plaxton/testbed'
import { chord, chordDefaults } from '../src/index.ts'

describe('the configuration', () => {
  it('has defaults that it accepts', () => {
    assert.equal(chord(chordDefaults).create(ref('11'), Prng.fromSeed(1)).name, 'chord')
    assert.equal(chord().name, 'chord')
  })

  it('names the field that is wrong, its value and what is allowed', () => {
    for (const [changes, message] of [
      [{ successors: 0 }, 'chord.successors is 0, allowed is a whole number from 1 to 64'],
      [{ predecessors: 65 }, 'chord.predecessors is 65, allowed is a whole number from 1 to 64'],
      [{ fingerSuccessors: 1.5 }, 'chord.fingerSuccessors is 1.5, allowed is a whole number from 0 to 16'],
      [{ probeTimeoutMinMs: 4_000 }, 'chord.probeTimeoutMinMs is 4000, allowed is at most probeTimeoutMs, 3000'],
      [{ leafSetSize: 16 }, 'chord.leafSetSize is 16, allowed is nothing: there is no such parameter'],
    ] as const) {
      assert.throws(
        () => chord(changes as object),
        (error) => error instanceof InvalidValueError && error.message === message,
      )
    }
  })
})
