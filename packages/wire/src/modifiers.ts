import { guid, string, uint53 } from './scalars.ts'
import { message } from './message.ts'
import type { DecodeContext, Field, Schema, ValueType, WireNodeRef } from './schema.ts'

/** A message within a message. Schemas are values that contain each other, so nesting is as deep as the schema and no deeper. */
export function nested<T>(number: number, schema: Schema<T>): Field<T, 'required'> {
  return { number, type: schema as ValueType<unknown>, presence: 'required', max: 1 }
}

/** A field that may be absent: an optional property, undefined when absent, and written whenever it is there, even if 0 or empty. */
export function optional<T>(field: Field<T, 'required'>): Field<T, 'optional'> {
  return { number: field.number, type: field.type, presence: 'optional', max: 1 }
}

/** A list of at most `max`; absent means empty. Lists of numbers and booleans are packed. */
export function repeated<T>(field: Field<T, 'required'>, bounds: { readonly max: number }): Field<readonly T[], 'repeated'> {
  return { number: field.number, type: field.type, presence: 'repeated', max: bounds.max }
}

/**
 * A field whose decoded value passes through `accept`, which returns the value to use or undefined to refuse it. A refused element of
 * a list is left out; anywhere else the whole message is refused. Encoding is that of `field`.
 */
export function refine<T, U extends T>(
  field: Field<T, 'required'>,
  accept: (value: T, context: DecodeContext) => U | undefined,
): Field<U, 'required'> {
  const { type: inner } = field
  const type: ValueType<unknown> = {
    wireType: inner.wireType,
    protoType: inner.protoType,
    bounds: inner.bounds,
    fallback: inner.fallback,
    schema: inner.schema,
    choices: inner.choices,
    size: (value) => inner.size(value),
    write: (writer, value, path) => inner.write(writer, value, path),
    read(reader) {
      const value = inner.read(reader) as T | undefined
      return value === undefined ? undefined : accept(value, reader.context)
    },
  }
  return { number: field.number, type, presence: 'required', max: 1 }
}

/** A node: id, address, epoch. Decoding asks the context's `ref` which reference to use, and refuses what that refuses. */
export function nodeRef(number: number): Field<WireNodeRef, 'required'> {
  return refine(nested(number, nodeRefSchema), (ref, context) =>
    context.ref === undefined ? ref : context.ref(ref.id, ref.address, ref.epoch),
  )
}

/** As `maxAddressLength` in `@plaxton/kbr`. */
const maxAddressBytes = 1024

const nodeRefSchema = message('NodeRef', {
  id: guid(1),
  address: string(2, { max: maxAddressBytes }),
  epoch: uint53(3),
})
