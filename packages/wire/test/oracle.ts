import protobuf from 'protobufjs'
import type { Schema } from '@plaxton/wire'

/**
 * protobufjs, which knows a schema only by its `.proto` text, as the second implementation.
 *
 * Its objects differ from ours: camel case for names with hyphens, bytes for guids, names of enum values for words, and a union is an
 * object with one property.
 */
export class Oracle {
  private readonly root: protobuf.Root

  constructor(proto: string) {
    this.root = protobuf.parse(proto).root
  }

  encode<T>(schema: Schema<T>, value: T): Uint8Array {
    const type = this.root.lookupType(schema.name)
    return type.encode(type.fromObject(toTheirs(schema, value as Record<string, unknown>))).finish()
  }

  /** What protobufjs reads in `bytes`, as its own plain object. */
  decode<T>(schema: Schema<T>, bytes: Uint8Array): unknown {
    const type = this.root.lookupType(schema.name)
    return type.toObject(type.decode(bytes), { longs: Number, enums: String, bytes: Array })
  }

  /** What protobufjs should read in the encoding of `value`. */
  expected<T>(schema: Schema<T>, value: T): unknown {
    const type = this.root.lookupType(schema.name)
    return type.toObject(type.fromObject(toTheirs(schema, value as Record<string, unknown>)), {
      longs: Number,
      enums: String,
      bytes: Array,
    })
  }
}

type AnySchema = Pick<Schema<unknown>, 'fields' | 'discriminant'>

function toTheirs(schema: AnySchema, value: Record<string, unknown>): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const field of schema.fields) {
    const name = field.name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    const ours = schema.discriminant === undefined ? value[field.name] : value[schema.discriminant] === field.name ? value : undefined
    if (ours === undefined) continue
    const convert = (one: unknown) => theirValue(field, one)
    if (field.presence === 'repeated') object[name] = (ours as unknown[]).map(convert)
    // protobufjs writes what it is given, defaults too.
    else if (field.presence === 'optional' || !isDefault(ours)) object[name] = convert(ours)
  }
  return object
}

function theirValue(field: AnySchema['fields'][number], value: unknown): unknown {
  const { type } = field
  if (type.schema !== undefined) return toTheirs(type.schema, value as Record<string, unknown>)
  if (type.choices !== undefined) return `${screaming(field.name)}_${screaming(value as string)}`
  return type.protoType === 'bytes' && typeof value === 'string' ? Buffer.from(value, 'hex') : value
}

function screaming(words: string): string {
  return words
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll(' ', '_')
    .toUpperCase()
}

function isDefault(value: unknown): boolean {
  return value === '' || value === false || Object.is(value, 0) || (value instanceof Uint8Array && value.length === 0)
}
