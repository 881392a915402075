import { guidFromCid, guidOf, isGuid } from '@plaxton/guid'
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

/**
 * The guid that a guid in hex, a CID of SHA-256, or a name stands for. That of a name is the SHA-256 of the text as it is, `name:` included: so it is
 * nobody's content, and any program can compute it.
 */
export function guidIn(args: Arguments, field: string): Guid {
  return guidNamed(field, text(args, field))
}

/** The guids of 1 to `most` such texts, no two the same. */
export function guidsIn(args: Arguments, field: string, most: number): Guid[] {
  const value = args[field]
  if (!Array.isArray(value) || value.length < 1 || value.length > most || !value.every((each) => typeof each === 'string'))
    throw new InvalidValueError(field, value, `1 to ${most} texts`)
  const guids = (value as string[]).map((each) => guidNamed(field, each))
  if (new Set(guids).size < guids.length) throw new InvalidValueError(field, value, 'each object once')
  return guids
}

function guidNamed(field: string, value: string): Guid {
  if (isGuid(value.toLowerCase())) return value.toLowerCase() as Guid
  if (value.startsWith(namePrefix) && value.length > namePrefix.length && Buffer.byteLength(value) <= maxNameBytes) {
    return guidOf(Buffer.from(value, 'utf8'))
  }
  try {
    return guidFromCid(value)
  } catch {
    throw new InvalidValueError(field, value, 'a guid of 64 hex digits, a CID, or name: and up to 507 bytes')
  }
}

const namePrefix = 'name:'

/** Longest name, with its prefix: that of PAST's names. */
const maxNameBytes = 512
