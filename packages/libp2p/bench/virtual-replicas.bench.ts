import { parseArgs } from 'node:util'
import { Prng } from '@plaxton/kbr'

/**
 * How often would two of the k nodes closest to a key be on one host, and how often does a root's view not reach k hosts?
 *
 * Nodes at random on a ring, as SHA-256 puts them. The view is Pastry's at the root: a leaf set of |L|/2 on each side, and of the nodes closest to the key
 * only those up to where one side of it ends.
 *
 *     npm run bench -- virtual-replicas       options: --replicas 5 --leaves 16,32,64 --rings 40 --keys 500 --seed 1
 */

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '5' },
    leaves: { type: 'string', default: '16,32,64' },
    rings: { type: 'string', default: '40' },
    keys: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
  },
})
const replicas = Number(values.replicas)
const leafSets = values.leaves.split(',').map(Number)
const prng = Prng.fromSeed(values.seed)

console.log(`of ${Number(values.rings) * Number(values.keys)} keys each, k = ${replicas}`)
console.log(`hosts    v   two of k on one host   ${leafSets.map((size) => `fewer than k hosts seen, |L| = ${size}`).join('   ')}`)
for (const hosts of [6, 8, 10, 20, 50, 200]) {
  for (const v of [2, 5, 10, 20]) {
    let together = 0
    const short = leafSets.map(() => 0)
    let keys = 0
    for (let ring = 0; ring < Number(values.rings); ring++) {
      const nodes = Array.from({ length: hosts * v }, (_, i) => ({ at: prng.nextFloat(), host: i % hosts })).toSorted((a, b) => a.at - b.at)
      for (let i = 0; i < Number(values.keys); i++, keys++) {
        const key = prng.nextFloat()
        const order = closest(nodes, key, Math.max(...leafSets))
        together += Number(hostsOf(order.slice(0, replicas)) < replicas)
        for (const [which, size] of leafSets.entries())
          short[which]! += Number(hostsOf(order.slice(0, reach(order, size, nodes.length))) < replicas)
      }
    }
    const cells = short.map((count, i) => percent(count / keys).padStart(`fewer than k hosts seen, |L| = ${leafSets[i]}`.length))
    console.log(`${String(hosts).padStart(5)} ${String(v).padStart(4)}   ${percent(together / keys).padStart(20)}   ${cells.join('   ')}`)
  }
}

interface Place {
  readonly host: number
  /** Which side of the key it is on, or the root itself. */
  readonly side: 'before' | 'after'
}

/** The nodes closest to `key`, closest first, `count` from each side. */
function closest(nodes: ReadonlyArray<{ readonly at: number; readonly host: number }>, key: number, count: number): Place[] {
  let next = nodes.findIndex(({ at }) => at >= key)
  if (next < 0) next = 0
  const far = (node: { readonly at: number }): number => Math.min((node.at - key + 1) % 1, (key - node.at + 1) % 1)
  const most = Math.min(count, Math.floor((nodes.length - 1) / 2))
  const found: Array<Place & { readonly far: number }> = []
  for (let i = 0; i <= most; i++) {
    const after = nodes[(next + i) % nodes.length]!
    const before = nodes[(next - 1 - i + 2 * nodes.length) % nodes.length]!
    found.push({ host: after.host, side: 'after', far: far(after) }, { host: before.host, side: 'before', far: far(before) })
  }
  return found.toSorted((a, b) => a.far - b.far)
}

/** How many of the closest nodes the root is certain of: up to where one side of its leaf set ends; all of them in a ring that fits into it. */
function reach(order: readonly Place[], leaves: number, nodes: number): number {
  if (nodes <= leaves + 1) return order.length
  const root = order[0]!
  const left = { before: leaves / 2, after: leaves / 2 }
  for (let i = 1; i < order.length; i++) if (left[order[i]!.side]-- === 0) return i
  return root === undefined ? 0 : order.length
}

function hostsOf(nodes: readonly Place[]): number {
  return new Set(nodes.map(({ host }) => host)).size
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
