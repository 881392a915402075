import { percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { StaticCan } from './static-can.ts'

/** Halvings more than the mean of the first bin (V/16 or less) and the last (8V or more). */
const bins = [4, 3, 2, 1, 0, -1, -2, -3] as const
const names = ['V/16', 'V/8', 'V/4', 'V/2', 'V', '2V', '4V', '8V'] as const

/** Uniform partitioning (SIGCOMM 2001, §3.7, figure 9): volumes of the zones of 65,536 nodes in 3 dimensions; V is the volume if all were equal. */
export function zoneVolumes({ seed, nodes = 2 ** 16, onProgress }: ExperimentOptions): Report {
  const shares = [false, true].map((uniform) => {
    onProgress?.(uniform ? 'uniform' : 'plain')
    return volumeShares(new StaticCan({ seed, nodes, dimensions: 3, uniform }).realities[0]!.zones(), nodes)
  }) as [number[], number[]]
  const [plain, uniform] = shares
  return {
    title: `share of zones by volume, ${nodes} nodes, 3 dimensions`,
    columns: ['volume', 'published, without (T)', 'measured', 'published, with (T)', 'measured'],
    rows: names.map((name, i) => [
      name,
      name === 'V' ? 'a little over 40 %' : undefined,
      percent(plain[i]!),
      name === 'V' ? 'almost 90 %' : undefined,
      percent(uniform[i]!),
    ]),
    claims: [
      {
        says: 'without: 40 to 46 % have exactly the mean volume',
        holds: plain[4]! >= 0.4 && plain[4]! <= 0.46,
        measured: percent(plain[4]!),
      },
      { says: 'with: 78 to 95 % have', holds: uniform[4]! >= 0.78 && uniform[4]! <= 0.95, measured: percent(uniform[4]!) },
      { says: 'with: none is larger than 2V', holds: uniform[6]! + uniform[7]! === 0, measured: percent(uniform[6]! + uniform[7]!) },
    ],
    traceHash: 'none: nothing was sent',
  }
}

function volumeShares(zones: readonly string[], nodes: number): number[] {
  const mean = Math.round(Math.log2(nodes))
  const counts = bins.map(() => 0)
  for (const zone of zones) counts[Math.max(0, Math.min(bins.length - 1, bins[0] - (zone.length - mean)))]!++
  return counts.map((count) => count / zones.length)
}
