import { Prng } from '@plaxton/kbr'
import { figure, percent } from '../report.ts'
import type { Report } from '../report.ts'
import type { ExperimentOptions } from '../world.ts'
import { loadOfHosts } from './placement.ts'

/** Keys per node (ToN 2003, §VI-B, figure 8): 10^4 nodes with one id each, 5·10^5 keys. No message is sent: who holds what follows from the ids. */
export function keysPerNode(options: ExperimentOptions): Report {
  const { nodes = 10_000, objects: keys = 50 * nodes, repeats = 20 } = options
  const prng = Prng.fromSeed(`${options.seed}/keys`)
  const loads = Array.from({ length: repeats }, () => loadOfHosts(prng, nodes, 1, keys))
  const mean = (of: (load: (typeof loads)[number]) => number) => loads.reduce((sum, load) => sum + of(load), 0) / repeats
  const [p99, max, empty] = [mean((load) => load.p99), mean((load) => load.max), mean((load) => load.empty)]
  const most = Math.max(...loads.map((load) => load.max))
  return {
    title: `keys per node, ${nodes} nodes, ${keys} keys, ${repeats} runs, in multiples of the mean`,
    columns: ['', 'measured', 'published'],
    rows: [
      ['p1', mean((load) => load.p1), '0 (T)'],
      ['median', mean((load) => load.p50), undefined],
      ['p99', p99, '4.6 (T)'],
      ['max, mean of the runs', max, '9.1 in one run (T)'],
      ['max of all runs', most, undefined],
      ['nodes without a key', percent(empty), 'some (T), 1.8 % (R)'],
    ],
    claims: [
      { says: 'p99 is ln 100 = 4.6 times the mean within 5 %', holds: Math.abs(p99 / Math.log(100) - 1) < 0.05, measured: figure(p99) },
      {
        says: 'the largest is about ln N times the mean, within 35 %',
        holds: Math.abs(max / Math.log(nodes) - 1) < 0.35,
        measured: figure(max),
      },
    ],
    traceHash: 'none: nothing was sent',
  }
}
