import { guidOf } from '@plaxton/guid'
import {
  bool,
  bytes,
  decode,
  encode,
  encodedLength,
  guid,
  message,
  nested,
  nodeRef,
  optional,
  repeated,
  string,
  uint32,
  union,
} from '@plaxton/wire'
import type { Schema } from '@plaxton/wire'

/** Encoding and decoding, per message: the best of many short rounds, so that other work on the machine disturbs little. */

const ack = message('Ack', { nonce: uint32(1), accepted: bool(2) })
const route = message('Route', { key: guid(1), source: guid(2), hops: uint32(3), nonce: uint32(4), payload: bytes(5, { max: 1024 }) })
const leafSetProbe = message('LeafSetProbe', {
  leafSet: repeated(nodeRef(1), { max: 64 }),
  failed: repeated(nodeRef(2), { max: 64 }),
  reply: bool(3),
  note: optional(string(4, { max: 100 })),
})
const frame = union('Frame', 'type', { ack: nested(1, ack), route: nested(2, route), probe: nested(3, leafSetProbe) })
const block = message('Block', { nonce: uint32(1), data: bytes(2, { max: 1 << 20 }) })

// Results are added up where the compiler cannot prove them unused.
let sink = 0

const idOf = (n: number) => guidOf(Uint8Array.of(n))
const ref = (n: number) => ({
  id: idOf(n),
  address: `/ip4/127.0.0.1/tcp/${4000 + n}/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp`,
  epoch: 1795000000,
})
const routeValue = { key: idOf(1), source: idOf(2), hops: 3, nonce: 123456, payload: new Uint8Array(32).fill(7) }

measure('ack', ack, { nonce: 77, accepted: true })
measure('route, 2 guids, 32-byte payload', route, routeValue)
measure('union of the same', frame, { type: 'route', ...routeValue })
measure('one node reference', leafSetProbe, { leafSet: [ref(0)], failed: [], reply: true })
measure('leaf set of 16 references', leafSetProbe, { leafSet: Array.from({ length: 16 }, (_, i) => ref(i)), failed: [], reply: true })
measure('block of 1 MiB', block, { nonce: 1, data: new Uint8Array(1 << 20) })

function measure<T>(name: string, schema: Schema<T>, value: T): void {
  const encoded = encode(schema, value)
  const context = { guidBytes: 32 }
  const perRound = Math.max(4, Math.floor(100_000 / (1 + encoded.length / 40)))
  const report = [
    ['encode', bestOf(() => encode(schema, value).length, perRound)],
    ['decode', bestOf(() => (decode(schema, encoded, context) === undefined ? 0 : 1), perRound)],
    ['length', bestOf(() => encodedLength(schema, value), perRound)],
  ] as const
  const columns = report.map(([what, ns]) => `${what} ${ns.toFixed(0).padStart(6)} ns (${(1000 / ns).toFixed(2).padStart(5)} M/s)`)
  console.log(`${name.padEnd(32)} ${String(encoded.length).padStart(7)} B  ${columns.join('  ')}`)
}

function bestOf(work: () => number, perRound: number): number {
  let best = Infinity
  for (let round = 0; round < 60; round++) {
    const start = performance.now()
    for (let i = 0; i < perRound; i++) sink += work()
    best = Math.min(best, performance.now() - start)
  }
  return (best * 1e6) / perRound
}
