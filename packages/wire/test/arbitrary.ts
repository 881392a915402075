import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import type { Infer } from '@plaxton/wire'
import type { ack, block, envelope, everything, frame, leafSetProbe, route } from './schemas.ts'

/** Any value of each schema of `schemas.ts`, with many at the edges of their ranges. */

const uint32s = fc.oneof(fc.constantFrom(0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 - 1), fc.nat(2 ** 31 - 1))
const uint53s = fc.oneof(uint32s, fc.constantFrom(2 ** 32, 2 ** 35, 2 ** 42 - 1, 2 ** 49, Number.MAX_SAFE_INTEGER), fc.maxSafeNat())
const doubles = fc.double()
const words = fc.constantFrom('one' as const, 'two' as const)
const bytesTo = (maxLength: number) => fc.uint8Array({ maxLength })
/** Text without lone surrogates, which UTF-8 does not have. */
const textTo = (maxBytes: number) => fc.oneof(fc.string({ maxLength: maxBytes }), fc.string({ unit: 'binary', maxLength: maxBytes >> 2 }))
const guids = fc.uint8Array({ minLength: 1, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex') as Guid)
const refs = fc.record({ id: guids, address: textTo(100), epoch: uint53s })
const listOf = <T>(items: fc.Arbitrary<T>, maxLength: number) => fc.array(items, { maxLength })

export const acks: fc.Arbitrary<Infer<typeof ack>> = fc.record({ nonce: uint32s, accepted: fc.boolean() })

export const routes: fc.Arbitrary<Infer<typeof route>> = fc.record({
  key: guids,
  source: guids,
  hops: uint32s,
  deadline: uint53s,
  outcome: fc.constantFrom('delivered', 'no route', 'timedOut'),
  payload: bytesTo(200),
})

export const leafSetProbes: fc.Arbitrary<Infer<typeof leafSetProbe>> = fc.record(
  { leafSet: listOf(refs, 8), failed: listOf(refs, 8), reply: fc.boolean(), note: textTo(100) },
  { requiredKeys: ['leafSet', 'failed', 'reply'] },
)

export const everythings: fc.Arbitrary<Infer<typeof everything>> = fc.record(
  {
    small: uint32s,
    large: uint53s,
    flag: fc.boolean(),
    real: doubles,
    data: bytesTo(300),
    digest: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    text: textTo(400),
    id: guids,
    word: words,
    inner: acks,
    smalls: listOf(uint32s, 20),
    larges: listOf(uint53s, 20),
    flags: listOf(fc.boolean(), 20),
    reals: listOf(doubles, 20),
    datas: listOf(bytesTo(30), 20),
    texts: listOf(textTo(40), 20),
    ids: listOf(guids, 20),
    words: listOf(words, 20),
    inners: listOf(acks, 20),
    maybeSmall: uint32s,
    maybeFlag: fc.boolean(),
    maybeReal: doubles,
    maybeData: bytesTo(30),
    maybeText: textTo(40),
    maybeId: guids,
    maybeInner: acks,
  },
  {
    requiredKeys: [
      ...(['small', 'large', 'flag', 'real', 'data', 'digest', 'text', 'id', 'word', 'inner'] as const),
      ...(['smalls', 'larges', 'flags', 'reals', 'datas', 'texts', 'ids', 'words', 'inners'] as const),
    ],
  },
)

export const frames: fc.Arbitrary<Infer<typeof frame>> = fc.oneof(
  acks.map((value) => ({ type: 'ack' as const, ...value })),
  routes.map((value) => ({ type: 'route' as const, ...value })),
  leafSetProbes.map((value) => ({ type: 'leaf-set-probe' as const, ...value })),
  fc.constant({ type: 'nothing' as const }),
)

export const envelopes: fc.Arbitrary<Infer<typeof envelope>> = fc.record({ version: uint32s, body: frames })

export const blocks: fc.Arbitrary<Infer<typeof block>> = fc.record({ nonce: uint32s, first: bytesTo(9000), second: bytesTo(9000) })
