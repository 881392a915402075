import assert from 'node:assert/strict'
import { pastryExperiments as experiments } from '../src/experiments/pastry/index.ts'
import { paperWorld, pastryOf, growTo } from '../src/experiments/pastry/paper-pastry.ts'
import { tableQuality } from '../src/experiments/pastry/table-quality.ts'
import { itRepeatsInSlices } from './slices.ts'
import type { Slices } from './slices.ts'

// A slice of each, large enough for its shape; `npm run lab -- run pastry EXPERIMENT` is the whole.
const slices: Slices = {
  hops: { nodes: 150, lookups: 300 },
  distribution: { nodes: 150, lookups: 300 },
  tables: { nodes: 150, minutes: 2 },
  nearest: { nodes: 150, lookups: 1000 },
  failures: { nodes: 150, lookups: 2000, minutes: 3 },
  joins: { nodes: 125, repeats: 4 },
  churn: { nodes: 40, minutes: 2 },
  sessions: { nodes: 40, minutes: 2 },
  ablation: { nodes: 60, minutes: 6 },
  timeouts: { nodes: 40, minutes: 2 },
}

/** Claims for which a slice is too small: three hundred lookups do not tell the third decimal of a mean, nor two sessions of five minutes a share of 1e-4. */
const forMore: Readonly<Record<string, RegExp>> = {
  hops: /within 0\.03/,
  distribution: /within \.02/,
  churn: /10,000|ways take/,
  // That upkeep takes less than 900 B does not hold at any size: see the README of the lab.
  sessions: /complete|900/,
  // At the published lengths of sessions it does not hold at any size: see the README of the lab.
  timeouts: /more than doubles/,
}

describe('the experiments of the Pastry papers', () => {
  itRepeatsInSlices(experiments, slices, (name, { says }) => forMore[name]?.test(says) === true)
})

describe('the quality of routing tables', function () {
  this.timeout(60_000)

  it('counts a slot as missing when its entry is gone, and as not the nearest when another is nearer', () => {
    const world = paperWorld({ seed: 2 }, 40)
    const { simulation } = world
    growTo(simulation, 40, undefined)
    const [before] = tableQuality(world, 40)
    assert.ok(before!.possible > 10 && before!.optimal <= before!.possible && before!.missing === 0)
    // Somebody that many have in row 0 goes, and nobody has noticed yet.
    const holders = (id: string): number =>
      simulation.running().filter((node) => pastryOf(node).slot(0, Number.parseInt(id[0]!, 16))?.id === id).length
    const popular = simulation.nodes.toSorted((a, b) => holders(b.id) - holders(a.id))[0]!
    const others = simulation.nodes.some((node) => node !== popular && node.id[0] === popular.id[0])
    const held = holders(popular.id)
    assert.ok(held > 0)
    simulation.crash(popular)
    const [after] = tableQuality(world, 40)
    if (others) assert.ok(Math.abs(after!.missing - held / 39) < 1e-9, `${after!.missing}, ${held} held it`)
    else assert.equal(after!.missing, 0)
    assert.ok(after!.optimal < before!.optimal)
  })
})
