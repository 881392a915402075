import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import * as g from '@plaxton/guid'
import { hexSlice, hexWrite } from '../src/bytes.ts'

/**
 * Nanoseconds and bytes of garbage per operation: the best of many short rounds, so that other work on the machine disturbs little.
 * Fails when one of the operations that routing repeats for every candidate allocates or takes 100 ns.
 */

const rounds = 60
const perRound = 100_000
/** What routing does for every candidate. */
const budgetNs = 100

// Results are added up where the compiler cannot prove them unused.
let sink = 0
let failed = false

let state = 1
const prng = { nextUint32: () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) }
const ids = Array.from({ length: 1024 }, () => g.guidOf(new TextEncoder().encode(String(prng.nextUint32()))))
// Equal ids that are not the same string, as they come from the network.
const copies = ids.map((guid) => g.guidFromBytes(g.guidToBytes(guid)))
const at = (i: number) => ids[i & 1023]!
const other = (i: number) => copies[(i * 7 + 1) & 1023]!
const third = (i: number) => ids[(i * 13 + 5) & 1023]!
const buffer = new Uint8Array(64)

hot('shared prefix, b = 4', (i) => g.sharedPrefixDigits(at(i), other(i), 4))
hot('digit, b = 4', (i) => g.digitAt(at(i), i & 63, 4))
hot('digit, b = 5', (i) => g.digitAt(at(i), i & 31, 5))
hot('equality, different ids', (i) => (at(i) === other(i) ? 1 : 0))
hot('equality, same id twice in memory', (i) => (at(i) === copies[i & 1023] ? 1 : 0))
hot('numeric order', (i) => g.compareGuids(at(i), other(i)))
hot('ring: closer to a key', (i) => g.compareOnRing(at(i), other(i), third(i)))
hot('ring: clockwise order', (i) => g.compareClockwise(at(i), other(i), third(i)))
hot('ring: in (a, b]', (i) => (g.inOpenClosed(at(i), other(i), third(i)) ? 1 : 0))
hot('XOR: closer to a key', (i) => g.compareByXor(at(i), other(i), third(i)))
hot('writeGuid', (i) => {
  g.writeGuid(at(i), buffer, i & 31)
  return buffer[40]!
})

measure('readGuid', (i) => g.readGuid(buffer, i & 31, 32).length)
measure('readGuid, portable', (i) => hexSlice(buffer, i & 31, 32).length)
measure('writeGuid, portable', (i) => {
  hexWrite(at(i), buffer, i & 31, 32)
  return buffer[40]!
})
measure('clockwiseDistance', (i) => g.clockwiseDistance(at(i), other(i)).length)
measure('halfway', (i) => g.halfway(at(i), other(i)).length)
measure('xorDistance', (i) => g.xorDistance(at(i), other(i)).length, 10_000)
measure('withDigit', (i) => g.withDigit(at(i), i & 63, 4, 7).length)
measure('guidOf 32 bytes', () => g.guidOf(buffer.subarray(0, 32)).length, 10_000)
measure('sha256 32 bytes, portable', () => portableSha256(buffer.subarray(0, 32)).length, 10_000)
const block = new Uint8Array(1 << 20)
measure('guidOf 1 MiB', () => g.guidOf(block).length, 1)
measure('sha256 1 MiB, portable', () => portableSha256(block).length, 1)

process.exitCode = failed ? 1 : 0

/** An operation with a budget. */
function hot(name: string, operation: (i: number) => number): void {
  const { ns, garbage } = measure(name, operation)
  if (ns >= budgetNs || garbage >= 1) {
    failed = true
    console.log(`  ^ over budget: less than ${budgetNs} ns and no allocation`)
  }
}

function measure(name: string, operation: (i: number) => number, times = perRound): { ns: number; garbage: number } {
  let ms = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let i = 0; i < times; i++) sink += operation(i)
    ms = Math.min(ms, performance.now() - start)
  }
  const ns = (ms * 1e6) / times
  const garbage = garbageOf(operation, Math.min(times, 1000))
  console.log(`${name.padEnd(36)} ${ns.toFixed(1).padStart(10)} ns ${garbage.toFixed(1).padStart(8)} B`)
  return { ns, garbage }
}

/** The median over rounds that are too short for the collector to run in most of them. Includes up to .3 B for asking. */
function garbageOf(operation: (i: number) => number, times: number): number {
  const grown: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < times; i++) sink += operation(i)
    grown.push(process.memoryUsage().heapUsed - before)
  }
  return grown.sort((a, b) => a - b)[rounds >> 1]! / times
}
