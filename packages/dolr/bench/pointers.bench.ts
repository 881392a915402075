import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { guidOf } from '@plaxton/guid'
import { encodeMessage } from '../src/codec.ts'
import { Script, bytesOf, nodeOf, recordOf } from '../test/script.ts'

/**
 * What pointers cost a node: memory for each, processor time for a record that passes (without its signature, which takes about 100 µs once), and for a search
 * that passes.
 *
 *     npm run bench -- pointers
 */

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const count = 50_000
const address = '/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust'
const hosts = Array.from({ length: 1_000 }, (_, i) => ({ ...nodeOf(`host ${i}`), address }))
const [before, beyond] = [nodeOf('before'), nodeOf('beyond')]
const script = new Script('self')
const records = Array.from({ length: count }, (_, i) => recordOf(guidOf(bytesOf(`object ${i}`)), hosts[i % hosts.length]!, script.now))
const publishes = records.map((record) =>
  encodeMessage({ type: 'publish', record, salt: 0, distanceMs: 10, stepMs: 10, step: 2, push: false }),
)
const locates = records.map(({ guid }) => encodeMessage({ type: 'locate', guid, salt: 0, wanted: 1, excluded: [], found: [] }))

const heapBefore = heapUsed()
const perPublish = microsecondsEach(() => {
  for (const [i, payload] of publishes.entries()) {
    script.passes(payload, records[i]!.guid, before, beyond)
    script.settle()
  }
})
script.replies.clear()
const heapAfter = heapUsed()
const perRepeat = microsecondsEach(() => publishes.forEach((payload, i) => script.passes(payload, records[i]!.guid, before, beyond)))
const perLocate = microsecondsEach(() => locates.forEach((payload, i) => script.passes(payload, records[i]!.guid, before, beyond)))

console.log(`${script.node.stats().pointers} pointers`)
console.log(`memory                             ${((heapAfter - heapBefore) / count).toFixed(0)} bytes each`)
console.log(`a record passes and is kept        ${perPublish.toFixed(1)} µs, the simulated check of its signature included`)
console.log(`the same record passes again       ${perRepeat.toFixed(1)} µs`)
console.log(`a search passes and is answered    ${perLocate.toFixed(1)} µs, reading the answer back included`)

function microsecondsEach(run: () => void): number {
  const start = performance.now()
  run()
  return ((performance.now() - start) * 1_000) / count
}

function heapUsed(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed: heap, arrayBuffers } = process.memoryUsage()
  return heap + arrayBuffers
}
