import type { Schema } from './schema.ts'

/**
 * Writes a message from its end to its start. A nested message is then complete before its length is written, so that one pass is
 * enough and nothing moves.
 *
 * Short messages go into a shared pool, one below the other, and are handed out as views of it: allocating a buffer for each would
 * cost more than encoding it. A message that does not fit into what is left of the pool gets a new pool, or, when it is large, a
 * buffer of exactly its size, before anything large has been written; so every byte of a large field is copied once.
 */
export class Writer {
  private pool = new Uint8Array(poolBytes)
  private poolEnd = poolBytes
  private bytes = this.pool
  private end = poolBytes
  private position = poolBytes
  private schema: Schema<unknown> | undefined = undefined
  private value: unknown = undefined

  /** Begins a message. What it says about itself is used only to ask for its length, when it does not fit into the pool. */
  begin(schema: Schema<unknown>, value: unknown): void {
    this.bytes = this.pool
    this.end = this.poolEnd
    this.position = this.poolEnd
    this.schema = schema
    this.value = value
  }

  /** The message written since {@link begin}. */
  finish(): Uint8Array {
    if (this.bytes === this.pool) this.poolEnd = this.position
    this.value = undefined
    return this.bytes.subarray(this.position, this.end)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.end - this.position
  }

  /** Makes room for `length` bytes before those already written and returns where they begin. */
  reserve(length: number): number {
    if (this.position < length) this.grow(length)
    return (this.position -= length)
  }

  /** Takes back the last `length` bytes reserved. */
  release(length: number): void {
    this.position += length
  }

  /** The buffer that {@link reserve} points into. Changes with every `reserve`. */
  get buffer(): Uint8Array {
    return this.bytes
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (value < 0x80) {
      const at = this.reserve(1)
      this.bytes[at] = value
      return
    }
    let at = this.reserve(varintLength(value))
    const bytes = this.bytes
    while (value >= 0x80000000) {
      bytes[at++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    while (value >= 0x80) {
      bytes[at++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[at] = value
  }

  raw(source: Uint8Array): void {
    const at = this.reserve(source.length)
    this.bytes.set(source, at)
  }

  private grow(length: number): void {
    const written = this.bytes.subarray(this.position, this.end)
    // A value that does not fit its schema may announce too little; it is refused when it is written.
    const total = Math.max(this.schema?.bodySize(this.value) || 0, written.length + length)
    const pooled = total <= pooledBytes
    const grown = new Uint8Array(pooled ? poolBytes : total)
    grown.set(written, grown.length - written.length)
    if (pooled) this.pool = grown
    this.bytes = grown
    this.end = grown.length
    this.position = grown.length - written.length
  }
}

/** Bytes of a varint of a whole number from 0 to 2^53 - 1. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1
  let length = 1
  while (value >= 0x80) {
    value = Math.floor(value / 0x80)
    length++
  }
  return length
}

/** As Node's own Buffer pool. A kept message of a few bytes keeps this much alive. */
const poolBytes = 8192
/** Longer messages get a buffer of their own when the pool is used up: a quarter of the pool, so that at most that much of it is wasted. */
const pooledBytes = poolBytes / 4
