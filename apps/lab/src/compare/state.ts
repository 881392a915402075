import { addToGuid, randomGuid, withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Overlay, Prng } from '@plaxton/kbr'
import { membersOf } from '@plaxton/simulator'
import type { World } from '@plaxton/simulator'

/**
 * How many other nodes a node keeps in its tables, on average: the different nodes it names as neighbours and as next hops for keys near and far. Asked
 * through the interface that all overlays share, so it counts what a node routes by, and not what it remembers besides (past contacts, back pointers).
 */
export function stateOf({ simulation }: World): number {
  const prng = simulation.simulator.stream('state')
  const sample = prng.shuffle(membersOf(simulation)).slice(0, sampleSize)
  const counts = sample.map((node) => namedBy(node.kbr.overlay, simulation.members.size, prng).size)
  return counts.reduce((sum, count) => sum + count, 0) / counts.length
}

/** Enough for a mean that is certain to a few percent. */
const sampleSize = 100

function namedBy(overlay: Overlay, most: number, prng: Prng): Set<Guid> {
  const named = new Set(overlay.neighborSet(most).map(({ id }) => id))
  for (const key of keysAround(overlay.self.id, prng)) for (const { id } of overlay.localLookup(key, most, false)) named.add(id)
  return named
}

/** Keys at which the tables of rings, of tries and of spaces differ: powers of two away, one digit away, and anywhere. */
function keysAround(self: Guid, prng: Prng): Guid[] {
  const bits = 4 * self.length
  const keys = Array.from({ length: randomKeys }, () => randomGuid(prng, bits))
  for (let bit = 1; bit <= magnitudes; bit++) {
    const step = 1n << BigInt(bits - bit)
    keys.push(addToGuid(self, step), addToGuid(self, -step))
  }
  for (let level = 0; level < levels; level++) for (let digit = 0; digit < 16; digit++) keys.push(withDigit(self, level, 4, digit))
  return keys
}

/** As deep as the tables of a million nodes go. */
const levels = 5
const magnitudes = 20
const randomKeys = 64
