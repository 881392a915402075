import { requireOneWidth } from './arithmetic.ts'
import { hexValue } from './bytes.ts'
import { InvalidGuidError } from './errors.ts'
import type { Guid } from './guid.ts'

/**
 * An id read as digits of `digitBits` bits (the papers' b, 1 to 8), most significant first; digit 0 is the first.
 *
 * When `digitBits` does not divide the width, the last digit is narrower: it is the bits that remain, as a number. 256-bit ids in
 * digits of 3 bits have 86 digits, the last of 1 bit with value 0 or 1.
 */

/** How many digits an id of `bits` bits has: ⌈bits / digitBits⌉. */
export function digitCount(bits: number, digitBits: number): number {
  requireDigitBits(digitBits)
  return Math.ceil(bits / digitBits)
}

/** The value of digit `index`: 0 … 2^digitBits - 1. */
export function digitAt(guid: Guid, index: number, digitBits: number): number {
  if (digitBits === 4) {
    requireIndex(index, guid.length)
    return hexValue(guid.charCodeAt(index))
  }
  requireDigitBits(digitBits)
  requireIndex(index, Math.ceil((4 * guid.length) / digitBits))
  const start = index * digitBits
  const end = Math.min(start + digitBits, 4 * guid.length)
  // Up to 8 bits that start anywhere in a hex character touch at most three of them.
  const lastChar = (end - 1) >> 2
  let value = 0
  for (let i = start >> 2; i <= lastChar; i++) value = (value << 4) | hexValue(guid.charCodeAt(i))
  return (value >> (4 * (lastChar + 1) - end)) & ((1 << (end - start)) - 1)
}

/** How many leading digits two ids have in common; all of them, the narrower last one included, when they are equal. */
export function sharedPrefixDigits(a: Guid, b: Guid, digitBits: number): number {
  requireDigitBits(digitBits)
  const bits = sharedPrefixBits(a, b)
  return bits === 4 * a.length ? Math.ceil(bits / digitBits) : Math.floor(bits / digitBits)
}

/** How many leading bits two ids have in common; the width when they are equal. */
export function sharedPrefixBits(a: Guid, b: Guid): number {
  requireOneWidth(a, b)
  for (let i = 0; i < a.length; i++) {
    const difference = a.charCodeAt(i) ^ b.charCodeAt(i)
    if (difference !== 0) return 4 * i + Math.clz32(hexValue(a.charCodeAt(i)) ^ hexValue(b.charCodeAt(i))) - 28
  }
  return 4 * a.length
}

/** The id that differs from `guid` in nothing but digit `index`, which is `value`. */
export function withDigit(guid: Guid, index: number, digitBits: number, value: number): Guid {
  requireDigitBits(digitBits)
  requireIndex(index, digitCount(4 * guid.length, digitBits))
  const start = index * digitBits
  const end = Math.min(start + digitBits, 4 * guid.length)
  const largest = (1 << (end - start)) - 1
  if (!Number.isInteger(value) || value < 0 || value > largest)
    throw new InvalidGuidError('value', value, `a whole number from 0 to ${largest}`)

  const firstChar = start >> 2
  const lastChar = (end - 1) >> 2
  const shift = 4 * (lastChar + 1) - end
  const before = parseInt(guid.slice(firstChar, lastChar + 1), 16)
  const after = (before & ~(largest << shift)) | (value << shift)
  return (guid.slice(0, firstChar) + after.toString(16).padStart(lastChar + 1 - firstChar, '0') + guid.slice(lastChar + 1)) as Guid
}

function requireDigitBits(digitBits: number): void {
  if (!(digitBits >= 1 && digitBits <= 8 && Number.isInteger(digitBits)))
    throw new InvalidGuidError('digitBits', digitBits, 'a whole number from 1 to 8')
}

function requireIndex(index: number, count: number): void {
  if (!(index >= 0 && index < count && Number.isInteger(index)))
    throw new InvalidGuidError('index', index, `a whole number from 0 to ${count - 1}`)
}
