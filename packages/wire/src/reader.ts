import { WireError } from './errors.ts'
import type { WireReason } from './errors.ts'
import type { DecodeContext } from './schema.ts'

/** Reads a message from start to end. Never reads beyond `end`, and throws nothing but {@link WireError}. */
export class Reader {
  readonly bytes: Uint8Array
  readonly context: DecodeContext
  position = 0
  /** Where the message being read ends: within `bytes`, and within the message around it. */
  end: number
  /** The field being read, for errors. */
  field: string

  constructor(bytes: Uint8Array, context: DecodeContext, name: string) {
    this.bytes = bytes
    this.context = context
    this.end = bytes.length
    this.field = name
  }

  fail(reason: WireReason, detail: string): WireError {
    return new WireError(reason, this.field, detail)
  }

  /**
   * A whole number in at most 10 bytes. One above 2^53 - 1 may have been rounded, but not to 2^53 - 1 or less: it is for the caller to
   * refuse, as no field, tag or length allows it.
   */
  varint(): number {
    const { bytes, end, position: start } = this
    if (start < end && bytes[start]! < 0x80) {
      this.position = start + 1
      return bytes[start]!
    }
    const limit = Math.min(end, start + maxVarintBytes)
    let value = 0
    let scale = 1
    for (let position = start; position < limit; position++) {
      const byte = bytes[position]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        this.position = position + 1
        return value
      }
      scale *= 0x80
    }
    throw limit === end
      ? this.fail('truncated', 'a varint does not end')
      : this.fail('number', `a varint has more than ${maxVarintBytes} bytes`)
  }

  /** Passes over the tag that comes next, if it is `tag`, which has at most two bytes. */
  passTag(tag: number): boolean {
    const { bytes, position } = this
    const length = tag < 0x80 ? 1 : 2
    if (position + length > this.end) return false
    const passed = length === 1 ? bytes[position] === tag : bytes[position] === ((tag & 0x7f) | 0x80) && bytes[position + 1] === tag >> 7
    if (passed) this.position = position + length
    return passed
  }

  /** A length prefix, checked against the bytes left, and then against what the schema allows. */
  length(max: number): number {
    const length = this.varint()
    if (length > this.end - this.position) throw this.fail('truncated', `${length} bytes announced, ${this.end - this.position} left`)
    if (length > max) throw this.fail('too large', `${length} bytes, at most ${max} allowed`)
    return length
  }

  /** Moves on by `length` bytes and returns where they begin. */
  advance(length: number): number {
    const at = this.position
    if (length > this.end - at) throw this.fail('truncated', `${length} bytes needed, ${this.end - at} left`)
    this.position = at + length
    return at
  }

  /** The next `length` bytes, as a view. */
  view(length: number): Uint8Array {
    const at = this.advance(length)
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, length)
  }

  /** Passes over the value of a field that the schema does not know, whose tag has just been read. */
  skipField(tag: number): void {
    const number = Math.floor(tag / 8)
    const wireType = tag % 8
    if (number < 1 || number > maxFieldNumber) throw this.fail('wire type', `field number ${number} does not exist`)
    if (wireType === 0) this.skipVarint()
    else if (wireType === 1) this.advance(8)
    else if (wireType === 2) this.advance(this.length(Infinity))
    else if (wireType === 5) this.advance(4)
    else throw this.fail('wire type', `wire type ${wireType} is not accepted`)
  }

  /** Unknown fields may hold any 64-bit number. */
  private skipVarint(): void {
    for (let i = 0; i < maxVarintBytes; i++) {
      if (this.bytes[this.advance(1)]! < 0x80) return
    }
    throw this.fail('number', 'a varint is longer than 10 bytes')
  }
}

const maxVarintBytes = 10
/** Protocol Buffers has no larger field number. */
const maxFieldNumber = 2 ** 29 - 1
