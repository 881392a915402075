import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import type { TopologyFactory } from './topology.ts'

/**
 * Measured round trips between places, such as p2psim's among 1,024 DNS servers: as many lines as places, as many numbers on a line, in milliseconds, separated by blanks or commas; `-`, or a
 * number that is not positive, where none was measured: then the way back counts, or else the median of all. A line that begins with `#` is a comment. Each host is at a random place; those at one place are a
 * millisecond apart. A way takes half a round trip.
 */
export function rttMatrix(text: string): TopologyFactory {
  const rows = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/[\s,]+/).map((word) => (word === '-' ? NaN : Number(word))))
  const size = rows.length
  const odd = rows.findIndex((row) => row.length !== size)
  if (size === 0 || odd >= 0)
    throw new InvalidValueError('row', `${odd + 1} of ${rows[odd]?.length ?? 0} numbers`, `${size} numbers, as many as there are rows`)
  const known = rows.flatMap((row, a) => row.filter((ms, b) => a !== b && ms > 0)).sort((a, b) => a - b)
  const median = known[Math.floor(known.length / 2)] ?? 2
  const roundTrip = (a: number, b: number): number => [rows[a]![b]!, rows[b]![a]!].find((ms) => ms > 0) ?? median
  // The same both ways, as a topology must be: the mean of both measurements where there are two.
  const oneWay = Float64Array.from({ length: size * size }, (_, i) => {
    const [a, b] = [Math.floor(i / size), i % size]
    return a === b ? 1 : Math.max(1, Math.round((roundTrip(a, b) + roundTrip(b, a)) / 4))
  })
  return (prng) => {
    const places: number[] = []
    const latencyMs = (a: number, b: number): Millis => oneWay[places[a]! * size + places[b]!]!
    return {
      name: `measured, ${size} places`,
      place: () => void places.push(prng.nextInt(size)),
      latencyMs,
      distance: (a, b) => (a === b ? 0 : latencyMs(a, b)),
    }
  }
}
