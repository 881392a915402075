import { joinOne, joinOneByOne } from '../../growing.ts'
import { overlays } from '../../overlays.ts'
import { summarize } from '../../summary.ts'
import { plane } from '../../topology.ts'
import { sentWhile } from '../../traffic.ts'
import type { Report } from '../report.ts'
import { World } from '../world.ts'
import { leastOfLast } from './least.ts'
import type { ExperimentOptions } from '../world.ts'

/**
 * Figure 17 (JSAC 2004): bytes that all nodes together send because one joins, by the size of the network, in base 4. Published: PlanetLab. Here: the plane,
 * messages as bytes; upkeep is slowed down to once an hour, what is left of it is measured before each size and taken off. An ideal insertion, of which everything is known
 * beforehand, brings the newcomer its map in one message and tells each node whose map it enters once, in ids alone.
 */
export function insertionTraffic(options: ExperimentOptions): Report {
  const { nodes = 500, repeats = 10, overlay = 'tapestry' } = options
  const world = new World(options, { nodes, topology: plane(), encode: true, subject: overlays[overlay]({ digitBits, calm: true }) })
  const sizes = sizesUpTo(nodes, repeats)
  const measured = sizes.map((size) => {
    joinOneByOne(world.simulation, size - repeats, (joined) => options.onProgress?.(`${joined} of ${nodes} joined`))
    world.simulation.run(windowMs)
    const idle = sentWhile(world.simulation, () => world.simulation.run(windowMs))
    const joins = Array.from({ length: repeats }, () =>
      sentWhile(world.simulation, () => {
        const end = world.simulation.now + windowMs
        joinOne(world.simulation)
        world.simulation.run(Math.max(0, end - world.simulation.now))
      }),
    )
    const least = leastOfLast(world.simulation, repeats, digitBits)
    return {
      leastKilobytes: summarize(least.map(({ bytes }) => bytes / 1000)),
      leastMessages: summarize(least.map((one) => one.messages)),
      kilobytes: summarize(joins.map(({ bytes }) => (bytes - idle.bytes) / 1000)),
      messages: summarize(joins.map(({ messages }) => messages - idle.messages)),
    }
  })
  const fit = line(
    sizes.map((size) => Math.log2(size)),
    measured.map(({ kilobytes }) => kilobytes.mean),
  )
  return {
    title: `insertion of single nodes in base 4 on the plane, ${repeats} at each size: traffic of all nodes in the ${windowMs / 1000} s after it began`,
    columns: ['nodes', 'kB mean', 'kB median', 'messages', 'ideal kB: map and news, ids alone', 'ideal messages', 'published kB'],
    rows: sizes.map((size, i) => [
      String(size),
      measured[i]!.kilobytes.mean,
      measured[i]!.kilobytes.p50,
      measured[i]!.messages.mean,
      measured[i]!.leastKilobytes.mean,
      measured[i]!.leastMessages.mean,
      published[size],
    ]),
    claims: [
      {
        says: 'kB lie on a straight line against log N: at least 90 % of their variance',
        holds: fit.determination >= 0.9,
        measured: `${fit.slope.toFixed(1)} kB each time N doubles, r² ${fit.determination.toFixed(3)}`,
      },
    ],
    traceHash: world.simulation.traceHash,
  }
}

/** Base 4. */
const digitBits = 2

/** Longer than an insertion with the measuring that follows. */
const windowMs = 20_000

const published: Readonly<Record<number, string>> = {
  16: '7 (F)',
  40: '18 (F)',
  100: '31 (F)',
  200: '43 (F)',
  256: '46 (F)',
  500: '50 (F)',
}

function sizesUpTo(nodes: number, repeats: number): number[] {
  return [...new Set([16, 40, 100, 200, 256, 500, nodes])].filter((size) => size <= nodes && size > repeats).sort((a, b) => a - b)
}

/** Least squares. */
function line(xs: readonly number[], ys: readonly number[]): { readonly slope: number; readonly determination: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [mx, my] = [mean(xs), mean(ys)]
  const sxy = mean(xs.map((x, i) => (x - mx) * (ys[i]! - my)))
  const sxx = mean(xs.map((x) => (x - mx) ** 2))
  const syy = mean(ys.map((y) => (y - my) ** 2))
  return { slope: sxy / sxx, determination: sxy ** 2 / (sxx * syy) }
}
