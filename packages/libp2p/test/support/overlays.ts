import { chord } from '@plaxton/chord'
import { compareByXor, compareClockwise, ringDistance } from '@plaxton/guid'
import { kademlia } from '@plaxton/kademlia'
import { pastry } from '@plaxton/pastry'
import { tapestry } from '@plaxton/tapestry'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory } from '@plaxton/kbr'

/** An overlay that the services are tried on: a program that swaps one for the other changes this word and nothing else. */
interface OverlayUnderTest {
  readonly factory: () => OverlayFactory
  /** Sorts ids by how close the overlay counts them to `key`, the root first. Slow and by the book. */
  readonly byCloseness: (key: Guid) => (a: Guid, b: Guid) => number
}

export const overlays: Readonly<Record<string, OverlayUnderTest>> = {
  pastry: { factory: pastry, byCloseness: (key) => (a, b) => (ringDistance(a, key) < ringDistance(b, key) ? -1 : 1) },
  tapestry: { factory: tapestry, byCloseness: (key) => (a, b) => (surrogateOrder(a, key) < surrogateOrder(b, key) ? -1 : 1) },
  kademlia: { factory: kademlia, byCloseness: (key) => (a, b) => compareByXor(a, b, key) },
  chord: { factory: chord, byCloseness: (key) => (a, b) => compareClockwise(a, b, key) },
}

/** How far each digit is from the key's, going up and around; compared from the first digit on. */
function surrogateOrder(id: Guid, key: Guid): string {
  const steps = Array.from(id, (digit, i) => (Number.parseInt(digit, 16) - Number.parseInt(key.charAt(i), 16) + 16) % 16)
  return steps.map((step) => step.toString(16)).join('')
}
