import { digitAt, withDigit } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { SimNode } from '../../simulation.ts'
import type { World } from '../world.ts'
import { paperPastry, pastryOf } from './paper-pastry.ts'

/** The slots of one row of the routing table, on average over nodes. */
export interface RowQuality {
  /** That some live node qualifies for. */
  readonly possible: number
  /** That hold the nearest node that qualifies, or one as near in whole milliseconds, which is as far as nodes can tell. */
  readonly optimal: number
  /** That hold nobody, or somebody who is gone, though there are nodes that qualify. */
  readonly missing: number
}

/** How good the routing tables of `sample` random nodes are, by row. */
export function tableQuality({ simulation }: World, sample: number): RowQuality[] {
  const { topology } = simulation.simulator
  const prng = simulation.simulator.stream('table quality')
  const living = simulation.running()
  const nodes = prng.shuffle([...living]).slice(0, sample)
  const byPrefix = groupByPrefix(living)
  return Array.from({ length: rowsLooked }, (_, row) => {
    let [possible, optimal, missing] = [0, 0, 0]
    for (const node of nodes) {
      const own = digitAt(node.id, row, paperPastry.digitBits)
      for (let column = 0; column < 2 ** paperPastry.digitBits; column++) {
        const qualified = column === own ? [] : (byPrefix.get(prefixOf(node.id, row, column)) ?? [])
        if (qualified.length === 0) continue
        possible++
        const entry = pastryOf(node).slot(row, column)
        const held = entry === undefined ? undefined : simulation.nodes[simulation.hostOf(entry)]
        if (held?.running !== true) missing++
        else {
          const milliseconds = topology.latencyMs(node.host.index, held.host.index)
          if (qualified.every((other) => topology.latencyMs(node.host.index, other.host.index) >= milliseconds)) optimal++
        }
      }
    }
    return { possible: possible / nodes.length, optimal: optimal / nodes.length, missing: missing / nodes.length }
  })
}

/** Rows that are in use in networks of a hundred thousand. */
const rowsLooked = 4

/** The live nodes by the first one to {@link rowsLooked} digits of their ids. */
function groupByPrefix(living: readonly SimNode[]): ReadonlyMap<string, readonly SimNode[]> {
  const groups = new Map<string, SimNode[]>()
  for (const node of living)
    for (let digits = 1; digits <= rowsLooked; digits++) {
      const prefix = node.id.slice(0, digits)
      const group = groups.get(prefix)
      if (group === undefined) groups.set(prefix, [node])
      else group.push(node)
    }
  return groups
}

/** What ids in this slot begin with. Digits are those of the hexadecimal id. */
function prefixOf(id: Guid, row: number, column: number): string {
  return withDigit(id, row, paperPastry.digitBits, column).slice(0, row + 1)
}
