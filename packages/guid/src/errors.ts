/** The caller passed something that is no id, or a digit or width an id does not have. Says which argument, what it was, and what is allowed. */
export class InvalidGuidError extends Error {
  override readonly name = 'InvalidGuidError'
  readonly code = 'ERR_INVALID_GUID'
  /** The argument at fault. */
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

/** Short enough for a log line, whatever a stranger passed. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return value.length <= 80 ? `'${value}'` : `'${value.slice(0, 80)}…' (${value.length} characters)`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return typeof value === 'object' && value !== null ? `an object` : String(value)
}
