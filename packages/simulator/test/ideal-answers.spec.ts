import assert from 'node:assert/strict'
import { rootKey } from '@plaxton/dolr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { idealAnswerMs } from '../src/experiments/tapestry/ideal-answers.ts'
import type { World } from '../src/experiments/world.ts'
import type { SimNode } from '../src/simulation.ts'

describe('the ideal time to the answer of an object', () => {
  // Two nodes 10 ms apart. Keys from 1… to 8… have the host for a root, all others the client.
  const client = { id: '0'.repeat(64) as Guid, host: { index: 0 } } as SimNode
  const host = { id: '8'.repeat(64) as Guid, host: { index: 1 } } as SimNode
  const world = {
    simulation: {
      running: () => [client, host],
      members: { sorted: [client.id] },
      simulator: { topology: { distance: (a: number, b: number) => 10 * Math.abs(a - b) }, stream: () => Prng.fromSeed(1) },
    },
  } as unknown as World
  const prng = Prng.fromSeed(2)
  /** An object both of whose keys have this node for a root. */
  const objectOf = (root: SimNode): Guid => {
    for (;;) {
      const guid = randomGuid(prng)
      if ([0, 1].every((salt) => /^[1-8]/.test(rootKey(guid, salt)) === (root === host))) return guid
    }
  }

  it('is two round trips when the first pointer is at the host', () => {
    assert.equal(idealAnswerMs(world, [[objectOf(host), host]]), 40)
  })

  it('is one when it is at the sender', () => {
    assert.equal(idealAnswerMs(world, [[objectOf(client), host]]), 20)
  })

  it('is nothing for the host itself', () => {
    assert.equal(idealAnswerMs(world, [[objectOf(host), client]]), 0)
  })
})
