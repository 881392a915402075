/** Why bytes were refused. */
export type WireReason =
  /** A length or a fixed-size value reaches beyond the end. */
  | 'truncated'
  /** A varint of more than 10 bytes, or a number beyond the field's range. */
  | 'number'
  /** A group, a reserved wire type, field number 0, or a known field in another wire type than its own. */
  | 'wire type'
  /** Larger or more numerous than the schema or the context allows. */
  | 'too large'
  /** A field without a default is absent, or a union has no variant. */
  | 'missing'
  /** A union has two variants, or an optional or required field came twice. */
  | 'repeated'
  /** Outside what the field allows: a boolean of 2, an unknown choice, a guid of another width, ill-formed UTF-8. */
  | 'value'
  /** A `refine` hook or the context's `ref` refused it. */
  | 'rejected'

/** Bytes from elsewhere are not a message of the schema. The only thing {@link decode} throws: drop the message and count it. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code = 'ERR_WIRE'
  readonly reason: WireReason
  /** The message or field at fault, such as `LeafSetProbe.leafSet`. */
  readonly field: string

  constructor(reason: WireReason, field: string, detail: string) {
    super(`${field}: ${detail}`)
    this.reason = reason
    this.field = field
  }
}

/** A value to encode does not fit its schema: a mistake of the caller. */
export class UnencodableError extends Error {
  override readonly name = 'UnencodableError'
  readonly code = 'ERR_UNENCODABLE'
  /** The field at fault, such as `LeafSetProbe.leafSet`. */
  readonly field: string
  readonly value: unknown
  /** What would have been accepted, in words. */
  readonly allowed: string

  constructor(field: string, value: unknown, allowed: string) {
    super(`${field} must be ${allowed}, but is ${inWords(value)}`)
    this.field = field
    this.value = value
    this.allowed = allowed
  }
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return value.length <= 80 ? `'${value}'` : `a string of ${value.length} characters`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
