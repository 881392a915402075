import { UnencodableError } from './errors.ts'
import type { NamedField, Schema } from './schema.ts'

/**
 * The `.proto` file of these schemas and of all they contain, in proto3: the specification for other languages. Bounds that protobuf
 * cannot express stand in comments.
 */
export function toProto(schemas: readonly Schema<unknown>[], packageName: string): string {
  const all = new Map<string, Schema<unknown>>()
  for (const schema of schemas) collect(schema, all)
  const messages = [...all.values()].map(printMessage)
  return ['syntax = "proto3";', `package ${packageName};`, ...messages].join('\n\n') + '\n'
}

/** Containers before what they contain, each once. */
function collect(schema: Schema<unknown>, all: Map<string, Schema<unknown>>): void {
  const known = all.get(schema.name)
  if (known !== undefined && known !== schema) throw new UnencodableError(schema.name, schema, 'the only message of this name')
  if (known !== undefined) return
  all.set(schema.name, schema)
  for (const { type } of schema.fields) if (type.schema !== undefined) collect(type.schema, all)
}

function printMessage(schema: Schema<unknown>): string {
  const enums = schema.fields.flatMap((field) => (field.type.choices === undefined ? [] : printEnum(field.name, field.type.choices)))
  const fields = schema.fields.map(printField)
  const oneOf = schema.discriminant === undefined ? fields : [`oneof ${identifier(schema.discriminant)} {`, ...indent(fields), '}']
  const body = [...enums, ...oneOf]
  return body.length === 0 ? `message ${schema.name} {}` : [`message ${schema.name} {`, ...indent(body), '}'].join('\n')
}

function printField(field: NamedField): string {
  const label = field.presence === 'required' ? '' : `${field.presence} `
  const type = field.type.choices === undefined ? field.type.protoType : enumName(field.name)
  const comment = boundsOf(field)
  return `${label}${type} ${identifier(field.name)} = ${field.number};${comment === '' ? '' : ` // ${comment}`}`
}

function boundsOf(field: NamedField): string {
  const ofEach = field.type.bounds
  if (field.presence !== 'repeated') return ofEach ?? ''
  return `at most ${field.max}${ofEach === undefined ? '' : `, each ${ofEach}`}`
}

/** Variants of a union may be named like 'join-request'. */
function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '_')
}

/** proto3 wants a first value of 0, which is never sent; names of values share the scope of the message, hence the prefix. */
function printEnum(fieldName: string, words: readonly string[]): string[] {
  const prefix = screamingCase(fieldName)
  const values = ['unspecified', ...words].map((word, i) => `${prefix}_${screamingCase(word)} = ${i};`)
  return [`enum ${enumName(fieldName)} {`, ...indent(values), '}']
}

function enumName(fieldName: string): string {
  return fieldName.charAt(0).toUpperCase() + fieldName.slice(1)
}

function screamingCase(words: string): string {
  return identifier(words.replace(/([a-z0-9])([A-Z])/g, '$1_$2')).toUpperCase()
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
