import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { Message } from '@plaxton/kbr'
import type { RouteMessage } from '../src/index.ts'
import { routingCodec } from '../src/codec.ts'

/** Nanoseconds of processor time to turn frames into bytes and back: a routed message with 64 bytes of payload, its acknowledgement, a block of 64 KiB. */

const rounds = 15
const perRound = 100_000

const prng = Prng.fromSeed('bench')
const codec = routingCodec({ encode: () => new Uint8Array(0), decode: () => ({ type: 'none' }) }, 32)
const route: RouteMessage = {
  type: 'route',
  seq: 123_456_789,
  nonce: 2 ** 52 + 1,
  key: randomGuid(prng),
  application: 'past',
  payload: new Uint8Array(64),
  hops: 2,
  cursor: 1,
  replyWithinMs: 5_000,
  keepPath: false,
  path: [],
}
const ack = { type: 'ack', seq: 123_456_789 } as Message

measure('route of 64 bytes', route)
measure('ack', ack)
const long: RouteMessage = { ...route, payload: new Uint8Array(65_536) }
measure('route of 64 KiB', long, 2_000)

function measure(what: string, message: Message, count = perRound): void {
  const frame = codec.encode(message).slice()
  const encode = best(count, () => codec.encode(message))
  const decode = best(count, () => codec.decode(frame, () => undefined))
  console.log(`${what.padEnd(20)} ${String(frame.length).padStart(6)} bytes   encode ${encode} ns   decode ${decode} ns`)
}

function best(count: number, run: () => unknown): string {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const begin = process.cpuUsage()
    for (let i = 0; i < count; i++) run()
    least = Math.min(least, process.cpuUsage(begin).user)
  }
  return ((least * 1e3) / count).toFixed(0).padStart(6)
}
