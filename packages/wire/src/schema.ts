import type { Guid } from '@plaxton/guid'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** What the reader of a message knows and its bytes do not say. */
export interface DecodeContext {
  /** Bytes of every guid. When absent, 1 to 32 are accepted, so that tests can use short ids. */
  readonly guidBytes?: number
  /**
   * The driver's judgement on each node reference: the reference to use (shared where possible), or undefined to refuse it. In a
   * repeated field a refused reference is left out; in any other the message is refused. Counting them is up to this function.
   */
  readonly ref?: (id: Guid, address: string, epoch: number) => WireNodeRef | undefined
  /** Longer messages are refused unread. */
  readonly maxBytes?: number
}

/** A node as it travels. The shape of `NodeRef` in `@plaxton/kbr`. */
export interface WireNodeRef {
  readonly id: Guid
  readonly address: string
  readonly epoch: number
}

/** How one value is written after its tag. Made by the functions of `fields.ts`, {@link message} and {@link union}. */
export interface ValueType<T> {
  /** 0 varint, 1 eight bytes, 2 a length and that many bytes. */
  readonly wireType: 0 | 1 | 2
  /** What stands in a `.proto` file: `bytes`, or the name of a message. */
  readonly protoType: string
  /** Bounds that a `.proto` file cannot say, in words. */
  readonly bounds: string | undefined
  /** proto3's default, which is not written; undefined when the value is always written and its absence an error. */
  readonly fallback: T | undefined
  /** The message or union this is; undefined for scalars. */
  readonly schema: Schema<unknown> | undefined
  /** The values of a `choice`; undefined for all else. */
  readonly choices: readonly string[] | undefined
  /** The bytes of `write`. */
  size(value: T): number
  /** Writes the value, backwards. `field` is for errors. */
  write(writer: Writer, value: T, field: string): void
  /** Reads the value. Undefined: refused by a hook. */
  read(reader: Reader): T | undefined
}

/** A message type: what {@link encode} and {@link decode} take. */
export interface Schema<T> extends ValueType<T> {
  readonly name: string
  /** In the order of their numbers. */
  readonly fields: readonly NamedField[]
  /** The name of the property that tells the variants of a union apart; undefined for a plain message. */
  readonly discriminant: string | undefined
  /** The bytes of `writeBody`. */
  bodySize(value: T): number
  writeBody(writer: Writer, value: T): void
  /** Reads up to `reader.end`. `variant` is the value of the discriminant, when the message is a variant of a union. */
  readBody(reader: Reader, discriminant?: string, variant?: string): T
}

/** The values of a schema: `type LeafSetProbe = Infer<typeof leafSetProbe>`. */
export type Infer<S> = S extends Schema<infer T> ? T : never

export type Presence = 'required' | 'optional' | 'repeated'

declare const fieldValue: unique symbol

/** A numbered field of a message. `T` is what the field holds: an array when it is repeated. */
export interface Field<T, P extends Presence = Presence> {
  readonly number: number
  readonly type: ValueType<unknown>
  readonly presence: P
  /** Most elements of a repeated field; 1 otherwise. */
  readonly max: number
  /** Exists for the compiler only. */
  readonly [fieldValue]?: T
}

/** A field in its message. */
export interface NamedField extends Field<unknown> {
  readonly name: string
  /** The message's name and the field's, for errors. */
  readonly path: string
  /** Field number and wire type: that of a packed list for repeated numbers. */
  readonly tag: number
  readonly tagLength: number
  /** Repeated numbers are written as one run of bytes, as proto3 does by default. */
  readonly packed: boolean
}

/** An intersection as one object type, as it would be written by hand. */
export type Simplify<T> = { [Key in keyof T]: T[Key] }
