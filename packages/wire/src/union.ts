import { UnencodableError } from './errors.ts'
import { nameField, readNested, writeNested } from './message.ts'
import type { Reader } from './reader.ts'
import type { Field, NamedField, Schema, Simplify } from './schema.ts'
import { varintLength } from './writer.ts'
import type { Writer } from './writer.ts'

/** The values of a union: each variant's message with the discriminant added. */
export type UnionOf<Discriminant extends string, Variants extends Record<string, Field<unknown, 'required'>>> = {
  [Name in keyof Variants & string]: Variants[Name] extends Field<infer T, 'required'> ? Tagged<Discriminant, Name, T> : never
}[keyof Variants & string]

type Tagged<Discriminant extends string, Name extends string, T> = Simplify<{ readonly [Key in Discriminant]: Name } & T>

/**
 * One of several messages: a discriminated union in TypeScript, a message with one `oneof` in protobuf.
 *
 * ```ts
 * const pastryMessage = union('PastryMessage', 'type', { joinRequest: nested(1, joinRequest), probe: nested(2, probe) })
 * encode(pastryMessage, { type: 'probe', leafSet: [], reply: true })
 * ```
 *
 * The variants' messages must not have a field named as the discriminant. Exactly one variant must be present; unlike protobuf,
 * which takes the last, a message with two is refused, and so is a variant that the schema does not know.
 */
export function union<Discriminant extends string, Variants extends Record<string, Field<unknown, 'required'>>>(
  name: string,
  discriminant: Discriminant,
  variants: Variants,
): Schema<UnionOf<Discriminant, Variants>> {
  const fields = Object.entries(variants).map(([variant, field]) => nameField(name, variant, field))
  return new Union(name, discriminant, fields) as Schema<unknown> as Schema<UnionOf<Discriminant, Variants>>
}

type UnionValue = Record<string, unknown>

class Union implements Schema<UnionValue> {
  readonly wireType = 2
  readonly bounds = undefined
  readonly fallback = undefined
  readonly choices = undefined
  readonly name: string
  readonly protoType: string
  readonly schema: Schema<unknown> = this as Schema<unknown>
  readonly discriminant: string
  readonly fields: readonly NamedField[]
  private readonly byName: ReadonlyMap<unknown, Variant>
  private readonly byTag: ReadonlyMap<number, Variant>

  constructor(name: string, discriminant: string, fields: readonly NamedField[]) {
    const variants = fields.map((field) => new Variant(name, discriminant, field))
    this.name = name
    this.protoType = name
    this.discriminant = discriminant
    this.fields = [...fields].sort((a, b) => a.number - b.number)
    this.byName = new Map(variants.map((variant) => [variant.name, variant]))
    this.byTag = new Map(variants.map((variant) => [variant.tag, variant]))
    if (this.byTag.size < fields.length)
      throw new UnencodableError(
        name,
        fields.map((field) => field.number),
        'of variants with different numbers',
      )
  }

  size(value: UnionValue): number {
    const length = this.bodySize(value)
    return varintLength(length) + length
  }

  write(writer: Writer, value: UnionValue, field: string): void {
    writeNested(writer, this, value, field)
  }

  read(reader: Reader): UnionValue {
    return readNested(reader, this)
  }

  bodySize(value: UnionValue): number {
    const { tag, schema } = this.variantOf(value)
    return varintLength(tag) + schema.size(value)
  }

  writeBody(writer: Writer, value: UnionValue): void {
    const { tag, schema } = this.variantOf(value)
    schema.write(writer, value, this.name)
    writer.varint(tag)
  }

  readBody(reader: Reader): UnionValue {
    let value: UnionValue | undefined
    while (reader.position < reader.end) {
      reader.field = this.name
      const tag = reader.varint()
      const variant = this.byTag.get(tag)
      if (variant === undefined) {
        reader.skipField(tag)
        continue
      }
      if (value !== undefined) throw reader.fail('repeated', 'has two variants')
      value = readNested(reader, variant.schema, this.discriminant, variant.name) as UnionValue
    }
    if (value === undefined) throw reader.fail('missing', 'has no variant that this schema knows')
    return value
  }

  private variantOf(value: UnionValue): Variant {
    const variant = this.byName.get(value[this.discriminant])
    if (variant === undefined) {
      throw new UnencodableError(
        `${this.name}.${this.discriminant}`,
        value[this.discriminant],
        `one of ${[...this.byName.keys()].join(', ')}`,
      )
    }
    return variant
  }
}

class Variant {
  readonly name: string
  readonly tag: number
  readonly schema: Schema<unknown>

  constructor(unionName: string, discriminant: string, field: NamedField) {
    const { schema } = field.type
    const isMessage = schema === field.type && schema.discriminant === undefined
    if (!isMessage || schema.fields.some((inner) => inner.name === discriminant)) {
      throw new UnencodableError(`${unionName}.${field.name}`, schema, `nested(…) of a message without a field named ${discriminant}`)
    }
    this.name = field.name
    this.tag = field.tag
    this.schema = schema
  }
}
