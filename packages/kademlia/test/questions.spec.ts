import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { closestUnknown } from '../src/questions.ts'

describe('closestUnknown', () => {
  it('is the id closest to the key of all that are at least as far as the edge', () => {
    const prng = Prng.fromSeed('unknown')
    const draw = (): number => prng.nextInt(256)
    for (let round = 0; round < 2_000; round++) {
      const [self, key, edge] = [draw(), draw(), draw()]
      if (self === edge) continue
      const beyond = Array.from({ length: 256 }, (_, id) => id).filter((id) => (id ^ self) >= (edge ^ self))
      const expected = beyond.reduce((best, id) => ((id ^ key) < (best ^ key) ? id : best))
      assert.equal(closestUnknown(byte(self), byte(edge), byte(key)), byte(expected), `self ${self}, edge ${edge}, key ${key}`)
    }
  })
})

/** An 8-bit id. */
function byte(value: number): Guid {
  return value.toString(16).padStart(2, '0') as Guid
}
