import { Prng } from '@plaxton/kbr'
import { StaticCan } from '../src/experiments/can/static-can.ts'
import { canTransitStub, transitStub } from '../src/transit-stub.ts'
import type { TransitStubConfig } from '../src/transit-stub.ts'

/**
 * Which internet the CAN paper drew: it tells lengths of links, the mean way, and milliseconds of a hop for some settings, but no routers. Each division of routers is drawn until three networks have a mean way near
 * the published one; printed is how far their milliseconds are from the published ones, those of all knobs together apart. `bench/can-internet.bench.ts`, a minute.
 */
const nodes = 2 ** 12
const lookups = 200
const networks = 3
const drawsMax = 20
/** SIGCOMM 2001, table 4, bare bones. */
const meanMs = 115.9
const meanTolerance = 0.08

/** Tables 1 and 2 (§3.3, §3.4). */
const published = [
  { dimensions: 2, peersPerZone: 1, rttWeighted: false, hopMs: 116.8 },
  { dimensions: 2, peersPerZone: 1, rttWeighted: true, hopMs: 88.3 },
  { dimensions: 3, peersPerZone: 1, rttWeighted: true, hopMs: 76.1 },
  { dimensions: 4, peersPerZone: 1, rttWeighted: true, hopMs: 71.2 },
  { dimensions: 5, peersPerZone: 1, rttWeighted: true, hopMs: 70.9 },
  { dimensions: 2, peersPerZone: 2, rttWeighted: false, hopMs: 92.8 },
  { dimensions: 2, peersPerZone: 3, rttWeighted: false, hopMs: 72.9 },
  { dimensions: 2, peersPerZone: 4, rttWeighted: false, hopMs: 64.4 },
] as const

const results: Array<{ readonly line: string; readonly error: number }> = []
for (const transitDomains of [1, 2, 3])
  for (const routersPerTransitDomain of [2, 3, 4, 5, 6])
    for (const stubDomainsPerTransitRouter of [3, 5, 10, 25])
      measure({ ...canTransitStub, transitDomains, routersPerTransitDomain, stubDomainsPerTransitRouter, routersPerStubDomain: 8 })
for (const { line } of results.toSorted((a, b) => a.error - b.error)) console.log(line)

function measure(internet: TransitStubConfig): void {
  const sums = published.map(() => 0)
  let found = 0
  for (let seed = 0; seed < drawsMax && found < networks; seed++) {
    if (Math.abs(meanWay(internet, seed) / meanMs - 1) > meanTolerance) continue
    found++
    for (const [i, { rttWeighted, ...network }] of published.entries())
      sums[i]! += new StaticCan({ seed, nodes, internet, ...network }).route(lookups, { rttWeighted }).hopMs
  }
  if (found < networks) return
  const hopMs = sums.map((sum) => sum / found)
  const error = Math.sqrt(hopMs.reduce((sum, ms, i) => sum + Math.log(ms / published[i]!.hopMs) ** 2, 0) / hopMs.length)
  const { transitDomains, routersPerTransitDomain, stubDomainsPerTransitRouter } = internet
  const division = `${transitDomains} domains of ${routersPerTransitDomain} routers with ${stubDomainsPerTransitRouter} stub domains each`
  results.push({ error, line: `${(100 * error).toFixed(1)} % off: ${division}: ${hopMs.map((ms) => ms.toFixed(1)).join(' ')}` })
}

/** Between random nodes of the internet that {@link StaticCan} draws with this seed. */
function meanWay(internet: TransitStubConfig, seed: number): number {
  const prng = Prng.fromSeed(seed)
  const topology = transitStub(internet)(Prng.fromSeed(`${seed}/can/internet`))
  for (let host = 0; host < nodes; host++) topology.place()
  let sum = 0
  for (let i = 0; i < lookups * 10; i++) sum += topology.distance(prng.nextInt(nodes), prng.nextInt(nodes))
  return sum / lookups / 10
}
