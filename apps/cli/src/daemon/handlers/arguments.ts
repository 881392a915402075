import { guidFromCid, isGuid } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'

/** The arguments of a call. What a client sends is checked here: it may be another version, or no client of ours. */
export type Arguments = Readonly<Record<string, unknown>>

export function text(args: Arguments, field: string): string {
  const value = args[field]
  if (typeof value !== 'string' || value === '') throw new InvalidValueError(field, value, 'a text')
  return value
}

export function optionalCount(args: Arguments, field: string): number | undefined {
  const value = args[field]
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) return value as number | undefined
  throw new InvalidValueError(field, value, 'a whole number, 1 or more')
}

export function oneOf<T extends string>(args: Arguments, field: string, allowed: readonly T[]): T {
  const value = args[field]
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new InvalidValueError(field, value, allowed.join(' or '))
  return found
}

/** The guid that a guid in hex or a CID of SHA-256 names. */
export function guidIn(args: Arguments, field: string): Guid {
  const value = text(args, field)
  if (isGuid(value.toLowerCase())) return value.toLowerCase() as Guid
  try {
    return guidFromCid(value)
  } catch {
    throw new InvalidValueError(field, value, 'a guid of 64 hex digits or a CID')
  }
}
