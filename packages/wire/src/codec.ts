import { WireError } from './errors.ts'
import { Reader } from './reader.ts'
import type { DecodeContext, Schema } from './schema.ts'
import { Writer } from './writer.ts'

/**
 * The bytes of a message. Throws {@link UnencodableError} when the value does not fit the schema.
 *
 * Short messages come as views of a pool of 8 KiB that many messages share: copy what is kept for long, and do not transfer the
 * underlying buffer.
 */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  writer.begin(schema as Schema<unknown>, value)
  schema.writeBody(writer, value)
  return writer.finish()
}

/** How many bytes {@link encode} would return, without making them. */
export function encodedLength<T>(schema: Schema<T>, value: T): number {
  return schema.bodySize(value)
}

/**
 * The message in `bytes`. Throws {@link WireError}, and nothing else, when they hold none, whatever they are.
 *
 * Work and memory are bounded by the number of bytes, not by any length written in them. `bytes` fields are views of `bytes`.
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, context: DecodeContext = {}): T {
  if (context.maxBytes !== undefined && bytes.length > context.maxBytes) {
    throw new WireError('too large', schema.name, `${bytes.length} bytes, at most ${context.maxBytes} allowed`)
  }
  return schema.readBody(new Reader(bytes, context, schema.name))
}

const writer = new Writer()
