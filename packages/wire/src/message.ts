import { UnencodableError, WireError } from './errors.ts'
import type { Reader } from './reader.ts'
import type { Field, NamedField, Presence, Schema, Simplify } from './schema.ts'
import { varintLength } from './writer.ts'
import type { Writer } from './writer.ts'

/** The values of a message with these fields. */
export type Values<Fields extends Record<string, Field<unknown>>> = Simplify<
  { readonly [Name in NamesOf<Fields, 'required' | 'repeated'>]: ValueOf<Fields[Name]> } & {
    readonly [Name in NamesOf<Fields, 'optional'>]?: ValueOf<Fields[Name]>
  }
>

/**
 * A message type: its name in the `.proto` file and its fields. At most 31 fields, with numbers from 1 to 2047, each once.
 *
 * Encoding is deterministic: fields in the order of their numbers, proto3 defaults left out, so that equal values give equal bytes
 * and signatures over bytes stay valid. Decoding restores the defaults and accepts fields in any order, each once.
 */
export function message<Fields extends Record<string, Field<unknown>>>(name: string, fields: Fields): Schema<Values<Fields>> {
  return new Message(name, nameFields(name, fields)) as Schema<unknown> as Schema<Values<Fields>>
}

type ValueOf<F> = F extends Field<infer T> ? T : never
type NamesOf<Fields, P extends Presence> = {
  [Name in keyof Fields]: Fields[Name] extends Field<unknown, P> ? Name : never
}[keyof Fields]

type MessageValue = Record<string, unknown>

class Message implements Schema<MessageValue> {
  readonly wireType = 2
  readonly bounds = undefined
  readonly fallback = undefined
  readonly choices = undefined
  readonly discriminant = undefined
  readonly name: string
  readonly protoType: string
  readonly schema: Schema<unknown> = this as Schema<unknown>
  readonly fields: readonly NamedField[]
  /** Bit i is set when a message without field i is refused. */
  private readonly mandatory: number

  constructor(name: string, fields: readonly NamedField[]) {
    this.name = name
    this.protoType = name
    this.fields = fields
    this.mandatory = fields.reduce((bits, field, i) => (isMandatory(field) ? bits | (1 << i) : bits), 0)
  }

  size(value: MessageValue): number {
    const length = this.bodySize(value)
    return varintLength(length) + length
  }

  write(writer: Writer, value: MessageValue, field: string): void {
    writeNested(writer, this, value, field)
  }

  read(reader: Reader): MessageValue {
    return readNested(reader, this)
  }

  bodySize(value: MessageValue): number {
    let size = 0
    for (const field of this.fields) size += fieldSize(field, value[field.name])
    return size
  }

  writeBody(writer: Writer, value: MessageValue): void {
    for (let i = this.fields.length - 1; i >= 0; i--) {
      const field = this.fields[i]!
      writeField(writer, field, value[field.name])
    }
  }

  readBody(reader: Reader, discriminant?: string, variant?: string): MessageValue {
    const { fields } = this
    const value: MessageValue = {}
    if (discriminant !== undefined) value[discriminant] = variant
    let seen = 0
    // Fields below `next` have been read or given their default, in order, so that all values of a schema have one hidden class.
    let next = 0
    while (reader.position < reader.end) {
      reader.field = this.name
      const tag = reader.varint()
      let index = next
      if (index >= fields.length || fields[index]!.tag !== tag) {
        const number = Math.floor(tag / 8)
        index = fields.findIndex((candidate) => candidate.number === number)
        if (index < 0) {
          reader.skipField(tag)
          continue
        }
        while (next < index) setDefault(value, fields[next++]!)
      }
      const field = fields[index]!
      reader.field = field.path
      readField(reader, field, tag, value, (seen & (1 << index)) !== 0)
      seen |= 1 << index
      if (index === next) next++
    }
    while (next < fields.length) setDefault(value, fields[next++]!)
    if ((seen & this.mandatory) !== this.mandatory) throw this.missing(seen)
    return value
  }

  private missing(seen: number): WireError {
    const field = this.fields.find((candidate, i) => isMandatory(candidate) && (seen & (1 << i)) === 0)
    return new WireError('missing', field?.path ?? this.name, 'is missing')
  }
}

/** Writes the body of a message or union and its length before it. */
export function writeNested<T>(writer: Writer, schema: Schema<T>, value: T, field: string): void {
  if (typeof value !== 'object' || value === null) throw new UnencodableError(field, value, 'an object')
  const before = writer.length
  schema.writeBody(writer, value)
  writer.varint(writer.length - before)
}

/** Reads a length and, within it, the body of a message or union. */
export function readNested<T>(reader: Reader, schema: Schema<T>, discriminant?: string, variant?: string): T {
  const { end, field } = reader
  const length = reader.length(Infinity)
  reader.end = reader.position + length
  const value = schema.readBody(reader, discriminant, variant)
  reader.end = end
  reader.field = field
  return value
}

function fieldSize(field: NamedField, value: unknown): number {
  const { type, tagLength } = field
  if (field.presence !== 'repeated') return isAbsent(field, value) ? 0 : tagLength + type.size(value)
  const elements = listOf(field, value)
  let size = 0
  for (const element of elements) size += type.size(element)
  if (field.packed) return size === 0 ? 0 : tagLength + varintLength(size) + size
  return size + tagLength * elements.length
}

function writeField(writer: Writer, field: NamedField, value: unknown): void {
  if (field.presence === 'repeated') {
    writeRepeated(writer, field, value)
  } else if (!isAbsent(field, value)) {
    field.type.write(writer, value, field.path)
    writer.varint(field.tag)
  }
}

function writeRepeated(writer: Writer, field: NamedField, value: unknown): void {
  const elements = listOf(field, value)
  if (elements.length === 0) return
  const before = writer.length
  for (let i = elements.length - 1; i >= 0; i--) {
    field.type.write(writer, elements[i], field.path)
    if (!field.packed) writer.varint(field.tag)
  }
  if (field.packed) {
    writer.varint(writer.length - before)
    writer.varint(field.tag)
  }
}

function listOf(field: NamedField, value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length <= field.max && !value.includes(undefined) && !value.includes(null)) return value
  throw new UnencodableError(field.path, value, `an array of at most ${field.max}, without gaps`)
}

/** True when nothing is written: an optional value that is not there, or a proto3 default. */
function isAbsent(field: NamedField, value: unknown): boolean {
  if (field.presence === 'optional') return value === undefined
  const { fallback } = field.type
  if (value === undefined || value === null) throw new UnencodableError(field.path, value, 'given')
  return Object.is(value, fallback) || (fallback instanceof Uint8Array && (value as Uint8Array).length === 0)
}

/** Reads the value of `field`, whose tag has just been read, into `target`; of a list, all elements that follow. */
function readField(reader: Reader, field: NamedField, tag: number, target: MessageValue, again: boolean): void {
  if (field.presence === 'repeated') {
    if (!again) target[field.name] = []
    readElements(reader, field, tag, target[field.name] as unknown[])
    return
  }
  if (tag !== field.tag) throw reader.fail('wire type', `wire type ${tag % 8} instead of ${field.tag % 8}`)
  if (again) throw reader.fail('repeated', 'comes twice')
  const value = field.type.read(reader)
  if (value === undefined) throw reader.fail('rejected', 'was refused')
  target[field.name] = value
}

function readElements(reader: Reader, field: NamedField, tag: number, elements: unknown[]): void {
  const { type, max } = field
  // Refused elements count against the bound too, or a message could make the hook work without end.
  let room = max - elements.length
  const readOne = (): void => {
    if (--room < 0) throw reader.fail('too large', `more than ${max}`)
    const element = type.read(reader)
    if (element !== undefined) elements.push(element)
  }
  if (field.packed && tag === field.tag) {
    const outerEnd = reader.end
    const length = reader.length(Infinity)
    reader.end = reader.position + length
    while (reader.position < reader.end) readOne()
    reader.end = outerEnd
  } else if (tag % 8 === type.wireType) {
    readOne()
    while (reader.passTag(tag)) readOne()
  } else {
    throw reader.fail('wire type', `wire type ${tag % 8} instead of ${field.tag % 8}`)
  }
}

/** What an absent field means. A field without a default is left for the check of mandatory fields. */
function setDefault(target: MessageValue, field: NamedField): void {
  if (field.presence === 'optional') return
  target[field.name] = field.presence === 'repeated' ? [] : field.type.fallback
}

function isMandatory(field: NamedField): boolean {
  return field.presence === 'required' && field.type.fallback === undefined
}

function nameFields(messageName: string, fields: Record<string, Field<unknown>>): NamedField[] {
  const named = Object.entries(fields).map(([name, field]) => nameField(messageName, name, field))
  named.sort((a, b) => a.number - b.number)
  named.forEach((field, i) => {
    if (named[i + 1]?.number === field.number) throw new UnencodableError(field.path, field.number, 'numbered differently from the others')
  })
  if (named.length > maxFields) throw new UnencodableError(messageName, named.length, `of at most ${maxFields} fields`)
  return named
}

/** A field in its message. */
export function nameField(messageName: string, name: string, field: Field<unknown>): NamedField {
  const path = `${messageName}.${name}`
  if (!(Number.isInteger(field.number) && field.number >= 1 && field.number <= maxNumber)) {
    throw new UnencodableError(path, field.number, `numbered from 1 to ${maxNumber}`)
  }
  const packed = field.presence === 'repeated' && field.type.wireType !== 2
  const tag = field.number * 8 + (packed ? 2 : field.type.wireType)
  return { ...field, name, path, tag, tagLength: varintLength(tag), packed }
}

/** Seen fields are bits of one small integer. */
const maxFields = 31
/** Tags of at most two bytes. */
const maxNumber = 2047
