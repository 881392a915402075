import { compareOnRing, guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, NodeRef, Question } from '@plaxton/kbr'
import { mergeClaims } from '../src/claims.ts'
import type { Claim } from '../src/claims.ts'
import { decodeRecord, encodeRecord } from '../src/codec.ts'
import { pastConfig } from '../src/config.ts'
import { Errands } from '../src/errands.ts'
import { Placement } from '../src/placement.ts'
import { Shelf } from '../src/shelf.ts'

/**
 * What a node's objects cost it: memory, placing them after a change of neighbours, the digest a comparison starts with, the lists it
 * ends in. One claim per object; 17 nodes, so that all belong near each other.
 */
const objects = 20_000

const nodes: NodeRef[] = Array.from({ length: 17 }, (_, i) => ({ id: guidOf(Uint8Array.of(i)), address: `node-${i}`, epoch: 1 }))
const [self, peer] = nodes as [NodeRef, NodeRef]
const questions: Array<{ token: number; question: Question }> = []
const fx = {
  self,
  ask: (token: number, question: Question) => void questions.push({ token, question }),
  replicaSet: (key: Guid, count: number) => nodes.toSorted((a, b) => compareOnRing(a.id, b.id, key)).slice(0, count),
} as Partial<AppEffects> as AppEffects

const records = Array.from({ length: objects }, (_, i) => {
  const guid = guidOf(new TextEncoder().encode(`object ${i}`))
  return [`r/${guid}`, encodeRecord([claimOn(guid, i)])] as const
})

gc()
const before = process.memoryUsage().heapUsed + process.memoryUsage().external
const errands = new Errands(() => {})
const shelf = new Shelf(pastConfig({}), errands, () => {})
const placement = new Placement(shelf)
shelf.load(0, fx, () => {})
report(
  'read the index from disk',
  time(1, () => errands.onAnswer(questions[0]?.token ?? 0, { kind: 'listed', entries: records }, 0, fx)) / objects,
  'ns per object',
)
report('place all objects', time(1, () => placement.refresh(fx)) / objects, 'ns per object')
gc()
report('memory', (process.memoryUsage().heapUsed + process.memoryUsage().external - before) / objects, 'bytes per object')
report(
  'digest of what is shared with a neighbour',
  time(1000, () => placement.sharedWith(peer.id, fx).digest),
  'ns',
)
report('entries of one bucket of 256', time(20, () => placement.entriesIn(new Set([7]), peer.id, fx)) / objects, 'ns per object')
report(
  'entries of all buckets',
  time(5, () => placement.entriesIn(new Set(Array.from({ length: 256 }, (_, i) => i)), peer.id, fx)) / objects,
  'ns per object',
)

const [one, other] = [1, 2].map((time) => decodeRecord(encodeRecord([claimOn(guidOf(Uint8Array.of(1)), time)])))
report(
  'merge two records of one claim',
  time(20_000, () => mergeClaims(one ?? [], other ?? [], 32)),
  'ns',
)

function claimOn(guid: Guid, created: number): Claim {
  const ownerKey = new Uint8Array(32).fill(created % 8)
  const certificate = {
    guid,
    kind: 'content',
    name: '',
    salt: new Uint8Array(0),
    ownerKey,
    contentDigest: guid,
    size: 1024,
    replicas: 5,
    created,
    expires: 0,
  } as const
  return { certificate, signature: new Uint8Array(64).fill(created) }
}

/** Nanoseconds of one call: the mean over `count`, of the best of five rounds when it can be repeated. */
function time(count: number, run: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < (count === 1 ? 1 : 5); round++) {
    const started = process.hrtime.bigint()
    for (let i = 0; i < count; i++) run()
    best = Math.min(best, Number(process.hrtime.bigint() - started) / count)
  }
  return best
}

function report(what: string, figure: number, unit: string): void {
  console.log(`${what.padEnd(45)}${figure.toFixed(0).padStart(8)} ${unit}`)
}

function gc(): void {
  ;(globalThis as { gc?: () => void }).gc?.()
}
