import type { Guid } from '@plaxton/guid'
import {
  bool,
  bytes,
  choice,
  double,
  guid,
  message,
  nested,
  nodeRef,
  optional,
  repeated,
  string,
  uint32,
  uint53,
  union,
} from '@plaxton/wire'
import type { Infer } from '@plaxton/wire'

/** Schemas that together use every kind of field in every presence, for tests. */

export const ack = message('Ack', { nonce: uint32(1), accepted: bool(2) })

export const route = message('Route', {
  key: guid(1),
  source: guid(2),
  hops: uint32(3),
  deadline: uint53(4),
  outcome: choice(5, ['delivered', 'no route', 'timedOut']),
  payload: bytes(16, { max: 1024 }),
})

export const leafSetProbe = message('LeafSetProbe', {
  leafSet: repeated(nodeRef(1), { max: 8 }),
  failed: repeated(nodeRef(2), { max: 8 }),
  reply: bool(3),
  note: optional(string(4, { max: 100 })),
})

export const everything = message('Everything', {
  small: uint32(1),
  large: uint53(2),
  flag: bool(3),
  real: double(4),
  data: bytes(5, { max: 300 }),
  digest: bytes(6, { length: 4 }),
  text: string(7, { max: 400 }),
  id: guid(8),
  word: choice(9, ['one', 'two']),
  inner: nested(10, ack),
  smalls: repeated(uint32(11), { max: 20 }),
  larges: repeated(uint53(12), { max: 20 }),
  flags: repeated(bool(13), { max: 20 }),
  reals: repeated(double(14), { max: 20 }),
  datas: repeated(bytes(15, { max: 30 }), { max: 20 }),
  texts: repeated(string(16, { max: 40 }), { max: 20 }),
  ids: repeated(guid(17), { max: 20 }),
  words: repeated(choice(18, ['one', 'two']), { max: 20 }),
  inners: repeated(nested(19, ack), { max: 20 }),
  maybeSmall: optional(uint32(20)),
  maybeFlag: optional(bool(21)),
  maybeReal: optional(double(22)),
  maybeData: optional(bytes(23, { max: 30 })),
  maybeText: optional(string(24, { max: 40 })),
  maybeId: optional(guid(25)),
  maybeInner: optional(nested(2047, ack)),
})

export const frame = union('Frame', 'type', {
  ack: nested(1, ack),
  route: nested(2, route),
  'leaf-set-probe': nested(3, leafSetProbe),
  nothing: nested(20, message('Nothing', {})),
})

export const envelope = message('Envelope', { version: uint32(1), body: nested(2, frame) })

export const block = message('Block', { nonce: uint32(1), first: bytes(2, { max: 1 << 20 }), second: bytes(3, { max: 1 << 20 }) })

export type Frame = Infer<typeof frame>

/** Some id of 256 bits. */
export function someId(digit: string): Guid {
  return digit.repeat(64) as Guid
}
