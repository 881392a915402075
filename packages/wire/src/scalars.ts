import type { Guid } from '@plaxton/guid'
import { readGuid, writeGuid } from '@plaxton/guid'
import { UnencodableError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { Field, ValueType } from './schema.ts'
import { asciiWrite, utf8Length, utf8Read, utf8Write } from './utf8.ts'
import { varintLength } from './writer.ts'
import type { Writer } from './writer.ts'

/** A whole number from 0 to 2^32 - 1. */
export function uint32(number: number): Field<number, 'required'> {
  return required(number, wholeNumber('uint32', 2 ** 32 - 1))
}

/** A whole number from 0 to 2^53 - 1, the largest that a JavaScript number holds exactly: times, sizes, epochs. */
export function uint53(number: number): Field<number, 'required'> {
  return required(number, wholeNumber('uint64', Number.MAX_SAFE_INTEGER))
}

export function bool(number: number): Field<boolean, 'required'> {
  return required(number, boolean)
}

/** A double in 8 bytes; -0, infinities and NaN included. */
export function double(number: number): Field<number, 'required'> {
  return required(number, float64)
}

/**
 * Up to `max` bytes, or exactly `length`. Decoding returns a view of the message's own bytes: copy what outlives them.
 * With `length`, absence is an error; otherwise it means no bytes.
 */
export function bytes(number: number, bounds: { readonly max: number } | { readonly length: number }): Field<Uint8Array, 'required'> {
  return required(number, 'length' in bounds ? byteString(bounds.length, bounds.length) : byteString(0, bounds.max))
}

/** Text of at most `max` bytes of UTF-8. */
export function string(number: number, bounds: { readonly max: number }): Field<string, 'required'> {
  return required(number, text(bounds.max))
}

/** An id as its bytes: half as many as it has hex characters. */
export function guid(number: number): Field<Guid, 'required'> {
  return required(number, guidBytes)
}

/**
 * One of a fixed list of words, written as its position in the list, from 1 on: add new words at the end. A word that the list does
 * not have yet is refused.
 */
export function choice<const Words extends readonly string[]>(number: number, words: Words): Field<Words[number], 'required'> {
  return required(number, wordOf(words) as ValueType<Words[number]>)
}

function required<T>(number: number, type: ValueType<T>): Field<T, 'required'> {
  return { number, type: type as ValueType<unknown>, presence: 'required', max: 1 }
}

/** What most scalars have in common. */
const scalar = { bounds: undefined, schema: undefined, choices: undefined }

function wholeNumber(protoType: string, max: number): ValueType<number> {
  return {
    ...scalar,
    wireType: 0,
    protoType,
    bounds: max === Number.MAX_SAFE_INTEGER ? 'at most 2^53 - 1' : undefined,
    fallback: 0,
    size: varintLength,
    write(writer, value, field) {
      if (!(value >= 0 && value <= max && Number.isInteger(value)))
        throw new UnencodableError(field, value, `a whole number from 0 to ${max}`)
      writer.varint(value)
    },
    read(reader) {
      const value = reader.varint()
      if (value > max) throw reader.fail('number', `${value} is above ${max}`)
      return value
    },
  }
}

const boolean: ValueType<boolean> = {
  ...scalar,
  wireType: 0,
  protoType: 'bool',
  fallback: false,
  size: () => 1,
  write(writer, value, field) {
    if (typeof value !== 'boolean') throw new UnencodableError(field, value, 'a boolean')
    writer.varint(value ? 1 : 0)
  },
  read(reader) {
    const value = reader.varint()
    if (value > 1) throw reader.fail('value', `${value} is no boolean`)
    return value === 1
  },
}

const float64: ValueType<number> = {
  ...scalar,
  wireType: 1,
  protoType: 'double',
  fallback: 0,
  size: () => 8,
  write(writer, value, field) {
    if (typeof value !== 'number') throw new UnencodableError(field, value, 'a number')
    const at = writer.reserve(8)
    view(writer.buffer).setFloat64(at, value, true)
  },
  read(reader) {
    return view(reader.bytes).getFloat64(reader.advance(8), true)
  },
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function byteString(min: number, max: number): ValueType<Uint8Array> {
  return {
    ...scalar,
    wireType: 2,
    protoType: 'bytes',
    bounds: min === max ? `exactly ${max} bytes` : `at most ${max} bytes`,
    fallback: min === 0 ? noBytes : undefined,
    size: (value) => varintLength(value.length) + value.length,
    write(writer, value, field) {
      if (!(value instanceof Uint8Array && value.length >= min && value.length <= max)) {
        throw new UnencodableError(field, value, `a Uint8Array of ${min === max ? max : `${min} to ${max}`} bytes`)
      }
      writer.raw(value)
      writer.varint(value.length)
    },
    read(reader) {
      const length = reader.length(max)
      if (length < min) throw reader.fail('value', `${length} bytes instead of ${min}`)
      return reader.view(length)
    },
  }
}

const noBytes = new Uint8Array(0)

function text(max: number): ValueType<string> {
  return {
    ...scalar,
    wireType: 2,
    protoType: 'string',
    bounds: `at most ${max} bytes`,
    fallback: '',
    size(value) {
      const length = utf8Length(value)
      return varintLength(length) + length
    },
    write(writer, value, field) {
      if (typeof value !== 'string') throw new UnencodableError(field, value, 'a string')
      let length = value.length
      let at = writer.reserve(length)
      if (!asciiWrite(value, writer.buffer, at)) {
        writer.release(length)
        length = utf8Length(value)
        at = writer.reserve(length)
        utf8Write(value, writer.buffer, at)
      }
      if (length > max) throw new UnencodableError(field, value, `at most ${max} bytes of UTF-8`)
      writer.varint(length)
    },
    read: (reader) => utf8Read(reader, reader.length(max)),
  }
}

const guidBytes: ValueType<Guid> = {
  ...scalar,
  wireType: 2,
  protoType: 'bytes',
  bounds: 'a guid',
  fallback: undefined,
  size: (value) => 1 + value.length / 2,
  write(writer: Writer, value: Guid, field: string) {
    const length = typeof value === 'string' ? value.length / 2 : 0
    if (!Number.isInteger(length) || length < 1 || length > maxGuidBytes) {
      throw new UnencodableError(field, value, `a guid of 1 to ${maxGuidBytes} whole bytes`)
    }
    const at = writer.reserve(length)
    writeGuid(value, writer.buffer, at)
    writer.varint(length)
  },
  read(reader: Reader) {
    const length = reader.length(maxGuidBytes)
    const expected = reader.context.guidBytes
    if (length === 0 || (expected !== undefined && length !== expected)) {
      throw reader.fail('value', `a guid of ${length} bytes instead of ${expected ?? `1 to ${maxGuidBytes}`}`)
    }
    return readGuid(reader.bytes, reader.advance(length), length)
  },
}

const maxGuidBytes = 32

function wordOf(words: readonly string[]): ValueType<string> {
  const positions = new Map(words.map((word, index) => [word, index + 1]))
  return {
    ...scalar,
    wireType: 0,
    protoType: 'enum',
    fallback: undefined,
    choices: words,
    size: (value) => varintLength(positions.get(value) ?? 0),
    write(writer, value, field) {
      const position = positions.get(value)
      if (position === undefined) throw new UnencodableError(field, value, `one of ${words.join(', ')}`)
      writer.varint(position)
    },
    read(reader) {
      const position = reader.varint()
      const word = words[position - 1]
      if (word === undefined) throw reader.fail('value', `${position} stands for none of ${words.join(', ')}`)
      return word
    },
  }
}
