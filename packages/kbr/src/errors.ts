import type { RouteFailure } from './kbr.ts'

/** What every error of Plaxton has: a stable `code` to switch on, besides `name` and a sentence in `message`. */
export class PlaxtonError extends Error {
  readonly code: string

  constructor(name: string, code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = name
    this.code = code
  }
}

/** The caller gave a value outside what the field allows. */
export class InvalidValueError extends PlaxtonError {
  readonly field: string
  readonly value: unknown
  readonly allowed: string

  constructor(field: string, value: unknown, allowed: string) {
    super('InvalidValueError', 'ERR_INVALID_VALUE', `${field} is ${describe(value)}, allowed is ${allowed}`)
    this.field = field
    this.value = value
    this.allowed = allowed
  }
}

/** No live object under this guid could be found. */
export class NotFoundError extends PlaxtonError {
  constructor(message: string) {
    super('NotFoundError', 'ERR_NOT_FOUND', message)
  }
}

/** Other bytes live under this guid already; objects never change. */
export class AlreadyExistsError extends PlaxtonError {
  constructor(message: string) {
    super('AlreadyExistsError', 'ERR_ALREADY_EXISTS', message)
  }
}

/** Only the owner may do this, and the owner is somebody else. */
export class NotOwnerError extends PlaxtonError {
  constructor(message: string) {
    super('NotOwnerError', 'ERR_NOT_OWNER', message)
  }
}

/** Fewer replicas than the write quorum were stored in time; `stored` of `needed` were. */
export class QuorumError extends PlaxtonError {
  readonly stored: number
  readonly needed: number

  constructor(stored: number, needed: number, message: string) {
    super('QuorumError', 'ERR_QUORUM', message)
    this.stored = stored
    this.needed = needed
  }
}

/** A message did not get through; `failure` says where and why. */
export class RouteError extends PlaxtonError {
  readonly failure: RouteFailure

  constructor(failure: RouteFailure) {
    super('RouteError', 'ERR_ROUTE', `${failure.reason}: ${failure.detail}`)
    this.failure = failure
  }
}

/** The call did not end in time. `message` names what was being waited for. */
export class DeadlineError extends PlaxtonError {
  constructor(message: string) {
    super('DeadlineError', 'ERR_DEADLINE', message)
  }
}

/** The node is not running, or not a member of its overlay yet. */
export class NotReadyError extends PlaxtonError {
  constructor(message: string) {
    super('NotReadyError', 'ERR_NOT_READY', message)
  }
}

/** Throws when an invariant of ours is broken: a bug here, never the world's fault. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new PlaxtonError('InvariantError', 'ERR_INVARIANT', message)
}

/** Makes forgetting a variant of a union a compile error, and reaching it a bug. */
export function unreachable(value: never): never {
  throw new PlaxtonError('InvariantError', 'ERR_INVARIANT', `unexpected ${describe(value)}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) return String(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  if (typeof value === 'function') return 'a function'
  return Object.prototype.toString.call(value)
}
