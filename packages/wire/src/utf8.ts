import type { Reader } from './reader.ts'

/** Bytes of a text in UTF-8. A lone surrogate counts and is written as U+FFFD, as TextEncoder does. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    length += unit < 0x800 ? 1 : 2
    if (isPair(text, i)) i++ // Two units and the 2 bytes just added make the 4 bytes of a pair.
  }
  return length
}

/** Writes `text` into `into` from `at` on, where {@link utf8Length} bytes are free. */
export function utf8Write(text: string, into: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      into[at++] = unit
    } else if (unit < 0x800) {
      into[at++] = 0xc0 | (unit >> 6)
      into[at++] = 0x80 | (unit & 0x3f)
    } else if (isPair(text, i)) {
      const point = text.codePointAt(i++)!
      into[at++] = 0xf0 | (point >> 18)
      into[at++] = 0x80 | ((point >> 12) & 0x3f)
      into[at++] = 0x80 | ((point >> 6) & 0x3f)
      into[at++] = 0x80 | (point & 0x3f)
    } else {
      const point = isSurrogate(unit) ? 0xfffd : unit
      into[at++] = 0xe0 | (point >> 12)
      into[at++] = 0x80 | ((point >> 6) & 0x3f)
      into[at++] = 0x80 | (point & 0x3f)
    }
  }
}

/** Writes `text` as {@link utf8Write} does, if it is ASCII; false, with part of it written, if not. */
export function asciiWrite(text: string, into: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return false
    into[at + i] = unit
  }
  return true
}

/** Reads `length` bytes that are within the message. Throws when they are not well-formed UTF-8 (Unicode 16, table 3-7). */
export function utf8Read(reader: Reader, length: number): string {
  const { bytes } = reader
  const start = reader.advance(length)
  const end = start + length
  if (nativeLatin1Slice !== undefined && isAscii(bytes, start, end)) return nativeLatin1Slice.call(bytes, start, end)
  const units: number[] = []
  let text = ''
  for (let at = start; at < end;) {
    const lead = bytes[at]!
    const trail = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    const point = trail === 0 ? lead : at + trail < end ? codePoint(bytes, at, trail, lead) : -1
    if (point < 0) throw reader.fail('value', 'text is not well-formed UTF-8')
    if (point < 0x10000) units.push(point)
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff))
    at += trail + 1
    if (units.length >= chunkUnits) {
      text += String.fromCharCode(...units)
      units.length = 0
    }
  }
  return text + String.fromCharCode(...units)
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return false
  return true
}

/** The code point of `trail` bytes after `lead`, or -1 when they are no shortest form, a surrogate or beyond U+10FFFF. */
function codePoint(bytes: Uint8Array, at: number, trail: number, lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return -1
  let point = lead & (0x3f >> trail)
  for (let i = 1; i <= trail; i++) {
    const byte = bytes[at + i]!
    if ((byte & 0xc0) !== 0x80) return -1
    point = (point << 6) | (byte & 0x3f)
  }
  if (trail === 2 && (point < 0x800 || isSurrogate(point))) return -1
  return trail === 3 && (point < 0x10000 || point > 0x10ffff) ? -1 : point
}

function isPair(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

/** Characters made by one call: arguments live on the stack, which is small in some engines. */
const chunkUnits = 1024

/**
 * A method of every Node Buffer that works on any Uint8Array; undefined elsewhere. With it a node reference of 126 bytes is decoded in 0.4 µs,
 * with the loop above in 0.6 (`bench/wire.bench.ts`).
 */
const nativeLatin1Slice = (
  globalThis as { Buffer?: { prototype: { latin1Slice?: (this: Uint8Array, start: number, end: number) => string } } }
).Buffer?.prototype.latin1Slice
