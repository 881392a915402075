import assert from 'node:assert/strict'
import {
  bool,
  bytes,
  choice,
  decode,
  double,
  encode,
  guid,
  message,
  nested,
  optional,
  repeated,
  string,
  uint32,
  uint53,
  UnencodableError,
  WireError,
} from '@plaxton/wire'
import type { Field, Values } from '@plaxton/wire'
import { someId } from './schemas.ts'

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

/** The bytes of a message whose only field, `a`, holds `value`. */
function bytesOf<F extends Field<unknown>>(field: F, value: Values<{ a: F }>['a' & keyof Values<{ a: F }>]): string {
  return Buffer.from(encode(message('Test', { a: field as Field<unknown> }), { a: value })).toString('hex')
}

/** The field `a` of a message of these bytes. */
function valueOf(field: Field<unknown>, hex: string): unknown {
  return (decode(message('Test', { a: field }), fromHex(hex)) as { a?: unknown }).a
}

function refused(field: Field<unknown>, hex: string, reason: string): void {
  assert.throws(
    () => valueOf(field, hex),
    (error) => error instanceof WireError && error.reason === reason,
  )
}

function unencodable(field: Field<unknown>, ...values: unknown[]): void {
  for (const value of values) assert.throws(() => encode(message('Test', { a: field }), { a: value }), UnencodableError)
}

describe('fields have the bytes of the Protocol Buffers documentation', () => {
  // https://protobuf.dev/programming-guides/encoding: messages Test1, Test2, Test3 and the packed list of Test5.
  it('a number', () => assert.equal(bytesOf(uint32(1), 150), '089601'))
  it('a text', () => assert.equal(bytesOf(string(2, { max: 10 }), 'testing'), '120774657374696e67'))
  it('a nested message', () => assert.equal(bytesOf(nested(3, message('Inner', { a: uint32(1) })), { a: 150 }), '1a03089601'))
  it('a packed list', () => assert.equal(bytesOf(repeated(uint32(6), { max: 9 }), [3, 270, 86942]), '3206038e029ea705'))
})

describe('whole numbers', () => {
  it('take as few bytes as they need', () => {
    for (const [value, hex] of [
      [1, '0801'],
      [127, '087f'],
      [128, '088001'],
      [2 ** 32 - 1, '08ffffffff0f'],
      [2 ** 32, '088080808010'],
      [Number.MAX_SAFE_INTEGER, '08ffffffffffffff0f'],
    ] as const) {
      assert.equal(bytesOf(uint53(1), value), hex)
      assert.equal(valueOf(uint53(1), hex), value)
    }
  })

  it('are read in up to 10 bytes, as others may write them', () => {
    assert.equal(valueOf(uint32(1), '08 81808080808080808000'), 1)
    refused(uint32(1), '08 8180808080808080808000', 'number')
    refused(uint32(1), `08 ${'ff'.repeat(50)}`, 'number')
  })

  it('stay in their range', () => {
    refused(uint32(1), '08 8080808010', 'number')
    refused(uint53(1), '08 8080808080808010', 'number')
    refused(uint53(1), '08 ffffffffffffffffff01', 'number')
    unencodable(uint32(1), -1, 0.5, NaN, 2 ** 32, '1', null)
    unencodable(uint53(1), -1, 2 ** 53, Infinity, 1n)
  })

  it('must end before the message does', () => {
    refused(uint32(1), '08', 'truncated')
    refused(uint32(1), '08 80', 'truncated')
  })
})

describe('booleans', () => {
  it('are 0 or 1', () => {
    assert.equal(bytesOf(bool(1), true), '0801')
    assert.equal(valueOf(bool(1), '0800'), false)
    refused(bool(1), '0802', 'value')
    unencodable(bool(1), 1, 'true', null)
  })
})

describe('doubles', () => {
  it('are 8 bytes, little-endian, every value kept', () => {
    assert.equal(bytesOf(double(1), 1), '09000000000000f03f')
    for (const value of [-0, NaN, Infinity, -Infinity, Number.MIN_VALUE]) {
      assert.deepEqual(valueOf(double(1), bytesOf(double(1), value)), value)
    }
    refused(double(1), '09 00000000000000', 'truncated')
    unencodable(double(1), '1', null)
  })
})

describe('bytes', () => {
  it('are at most as many as the schema says', () => {
    assert.deepEqual(valueOf(bytes(1, { max: 2 }), '0a02abcd'), Uint8Array.of(0xab, 0xcd))
    refused(bytes(1, { max: 2 }), '0a03abcdef', 'too large')
    unencodable(bytes(1, { max: 2 }), new Uint8Array(3), [1, 2], 'ab', null)
  })

  it('of a given length have exactly that, and must be there', () => {
    assert.deepEqual(valueOf(bytes(1, { length: 2 }), '0a02abcd'), Uint8Array.of(0xab, 0xcd))
    refused(bytes(1, { length: 2 }), '0a01ab', 'value')
    refused(bytes(1, { length: 2 }), '0a03abcdef', 'too large')
    refused(bytes(1, { length: 2 }), '', 'missing')
    unencodable(bytes(1, { length: 2 }), new Uint8Array(1), new Uint8Array(0))
  })

  it('are plain views of the message', () => {
    const encoded = Buffer.from('0a02abcd', 'hex')
    const { data } = decode(message('Test', { data: bytes(1, { max: 9 }) }), encoded)
    assert.equal(data.constructor, Uint8Array)
    encoded[2] = 0x11
    assert.deepEqual(data, Uint8Array.of(0x11, 0xcd))
  })

  it('are not announced longer than the message', () => {
    refused(bytes(1, { max: 2 ** 50 }), '0a ffffffffffffff0f 00', 'truncated')
  })
})

describe('text', () => {
  const text = string(1, { max: 2000 })
  const utf8 = new TextEncoder()
  const encoded = (characters: string) => bytesOf(bytes(1, { max: 2000 }), utf8.encode(characters))

  it('is UTF-8', () => {
    for (const characters of [
      '',
      'ascii',
      'é',
      'ß€',
      '你好',
      '😀',
      'a😀b€cé',
      '\0',
      '\u{10ffff}',
      '\ud7ff\ue000\uffff',
      'x'.repeat(1500),
      '€'.repeat(600),
    ]) {
      assert.equal(bytesOf(text, characters), encoded(characters))
      assert.equal(valueOf(text, encoded(characters)), characters)
    }
  })

  it('has U+FFFD for a lone surrogate, as TextEncoder does', () => {
    for (const characters of ['\ud800', 'a\udc00b', '\ud83d\ud83d\ude00', '\ude00\ud83d']) {
      assert.equal(bytesOf(text, characters), encoded(characters))
    }
  })

  it('is bounded in bytes, not in characters', () => {
    assert.equal(valueOf(string(1, { max: 3 }), '0a03e282ac'), '€')
    refused(string(1, { max: 2 }), '0a03e282ac', 'too large')
    unencodable(string(1, { max: 2 }), '€', 'abc', 1, null)
  })

  it('is refused when it is not well-formed', () => {
    const illFormed = {
      'a lone continuation': '80',
      'a lead without continuation': 'c3',
      'a lead before ASCII': 'c328',
      'two bytes for ASCII': 'c1bf',
      'three bytes where two do': 'e09fbf',
      'four bytes where three do': 'f08fbfbf',
      'a surrogate': 'eda080',
      'a code point beyond the last': 'f4908080',
      'a lead that does not exist': 'f8888080',
      'another lead that does not exist': 'f9908080',
      'three of four bytes': 'f09f98',
      'a byte that does not exist': 'ff',
    }
    for (const hex of Object.values(illFormed)) {
      refused(text, `0a0${hex.length / 2}${hex}`, 'value')
      refused(text, `0a0${hex.length / 2 + 1}61${hex}`, 'value')
    }
  })

  it('does not go on in the bytes after it', () => {
    // Three of the four bytes of an emoji, and then an unknown field whose tag begins with 80, which would be the fourth.
    refused(text, '0a03f09f98 800105', 'value')
  })
})

describe('guids', () => {
  it('are their bytes', () => {
    assert.equal(bytesOf(guid(1), someId('a')), `0a20${'aa'.repeat(32)}`)
    assert.equal(valueOf(guid(1), `0a20${'aa'.repeat(32)}`), 'a'.repeat(64))
  })

  it('may be short, so that tests can use ids of 8 bits', () => {
    assert.equal(bytesOf(guid(1), '85' as never), '0a0185')
    assert.equal(valueOf(guid(1), '0a0185'), '85')
  })

  it('have the width the context demands', () => {
    const schema = message('Test', { id: guid(1) })
    assert.equal(decode(schema, fromHex('0a0185'), { guidBytes: 1 }).id, '85')
    assert.throws(() => decode(schema, fromHex('0a0185'), { guidBytes: 32 }), { name: 'WireError', reason: 'value', field: 'Test.id' })
  })

  it('have 1 to 32 bytes, and must be there', () => {
    refused(guid(1), '0a00', 'value')
    refused(guid(1), `0a21${'00'.repeat(33)}`, 'too large')
    refused(guid(1), '', 'missing')
    unencodable(guid(1), '', 'abc', 'a'.repeat(66), 5, null)
  })
})

describe('choices', () => {
  const outcome = choice(1, ['delivered', 'no route'])

  it('are positions in their list, from 1 on', () => {
    assert.equal(bytesOf(outcome, 'no route'), '0802')
    assert.equal(valueOf(outcome, '0801'), 'delivered')
  })

  it('are refused when not in the list, and when absent', () => {
    refused(outcome, '0803', 'value')
    refused(outcome, '0800', 'value')
    refused(outcome, '', 'missing')
    unencodable(outcome, 'lost', '', 1, null)
  })
})

describe('proto3 defaults', () => {
  it('are not written, and restored when read', () => {
    for (const [field, value] of [
      [uint32(1), 0],
      [uint53(1), 0],
      [bool(1), false],
      [double(1), 0],
      [bytes(1, { max: 9 }), new Uint8Array(0)],
      [string(1, { max: 9 }), ''],
      [repeated(uint32(1), { max: 9 }), []],
    ] as const) {
      assert.equal(bytesOf(field as Field<unknown>, value as never), '')
      assert.deepEqual(valueOf(field, ''), value)
    }
  })

  it('are written where the field is optional, so that 0 is not absence', () => {
    assert.equal(bytesOf(optional(uint32(1)), 0), '0800')
    assert.equal(valueOf(optional(uint32(1)), '0800'), 0)
    assert.deepEqual(decode(message('Test', { a: optional(uint32(1)) }), new Uint8Array(0)), {})
  })

  it('do not excuse the caller from giving a value', () => {
    unencodable(uint32(1), undefined)
    unencodable(guid(1), undefined)
    unencodable(repeated(uint32(1), { max: 1 }), undefined)
  })
})
