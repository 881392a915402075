import { addToGuid, sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { surrogate } from './ownership.ts'
import type { Ownership } from './ownership.ts'

const byBits = surrogate(1)

/** Kademlia's (IPTPS 2002, §2.1): by the bits in which a node's id differs from the key, read as a number. There are no ties. */
export const xorDistance: Ownership = {
  name: 'XOR distance',
  ranks(key, ids, count) {
    const distances = new Map(ids.map((id) => [id, BigInt(`0x${id}`) ^ BigInt(`0x${key}`)]))
    return [...ids].sort((a, b) => (distances.get(a)! < distances.get(b)! ? -1 : 1)).slice(0, count)
  },
  // The nearest share the longest prefix with the key; where nobody has its next bit, the others go on with the one after.
  near: (key, sorted, count) => byBits.near!(key, sorted, count),
  boundaries: (sorted) => sorted.flatMap((id, i) => subtreeEdges(id, sorted.at(i - 1)!, sorted[(i + 1) % sorted.length]!)),
}

/** The deepest levels at which a node's keys can end. */
const levelsTried = 3

/** The id, and the first and last key of the smallest subtrees around it that another node is in or just beside. */
function subtreeEdges(id: Guid, before: Guid, after: Guid): Guid[] {
  const deepest = Math.max(...[before, after].map((other) => (other === id ? 0 : sharedPrefixBits(id, other)))) + 1
  const keys = [id, addToGuid(id, 1), addToGuid(id, -1)]
  for (let depth = deepest; depth > 0 && depth > deepest - levelsTried; depth--) {
    const width = BigInt(4 * id.length - depth)
    const first = ((BigInt(`0x${id}`) >> width) << width).toString(16).padStart(id.length, '0') as Guid
    const last = addToGuid(first, (1n << width) - 1n)
    keys.push(first, addToGuid(first, -1), last, addToGuid(last, 1))
  }
  return keys
}
