import { InvalidGuidError } from './errors.ts'
import type { Guid } from './guid.ts'

/** The id whose big-endian bytes these are. */
export function guidFromBytes(bytes: Uint8Array): Guid {
  return readGuid(bytes, 0, bytes.length)
}

/** The id's big-endian bytes, newly allocated: 32 for 256 bits. The id must have whole bytes, thus an even number of hex characters. */
export function guidToBytes(guid: Guid): Uint8Array {
  const bytes = new Uint8Array(guid.length >> 1)
  writeGuid(guid, bytes, 0)
  return bytes
}

/**
 * The id in `bytes` at `offset`, `byteLength` bytes long. The string is flat, so that reading its characters later costs nothing extra.
 * Throws {@link InvalidGuidError} when the bytes end before the id does.
 */
export function readGuid(bytes: Uint8Array, offset: number, byteLength: number): Guid {
  if (byteLength < 1 || offset < 0 || offset + byteLength > bytes.length) {
    throw new InvalidGuidError('byteLength', byteLength, `1 to ${bytes.length - offset}, the bytes left`)
  }
  return (nativeHex?.hexSlice?.call(bytes, offset, offset + byteLength) ?? hexSlice(bytes, offset, byteLength)) as Guid
}

/** Writes the id's bytes into `into` from `offset` on; they are half as many as the id has hex characters, which must be an even number. */
export function writeGuid(guid: Guid, into: Uint8Array, offset: number): void {
  const byteLength = guid.length >> 1
  if ((guid.length & 1) !== 0) throw new InvalidGuidError('guid', guid, 'a whole number of bytes')
  if (offset < 0 || offset + byteLength > into.length) {
    throw new InvalidGuidError('offset', offset, `0 to ${into.length - byteLength}, so that the id fits`)
  }
  if (nativeHex?.hexWrite?.call(into, guid, offset, byteLength) !== byteLength) hexWrite(guid, into, offset, byteLength)
}

/** The value 0 … 15 of a lower-case hex character: '0' is 0x30, 'a' is 0x61. */
export function hexValue(charCode: number): number {
  return (charCode & 15) + 9 * (charCode >> 6)
}

/**
 * Bytes to hex. The characters go through one call, because joining pieces with `+` makes a rope that is copied once more on
 * first use.
 */
export function hexSlice(bytes: Uint8Array, offset: number, byteLength: number): string {
  const codes: number[] = []
  for (let i = 0; i < byteLength; i++) {
    const byte = bytes[offset + i]!
    codes.push(hexCodes[byte >> 4]!, hexCodes[byte & 15]!)
  }
  return String.fromCharCode(...codes)
}

/** Hex to bytes. */
export function hexWrite(hex: string, into: Uint8Array, offset: number, byteLength: number): void {
  for (let i = 0; i < byteLength; i++) {
    into[offset + i] = (hexValue(hex.charCodeAt(2 * i)) << 4) | hexValue(hex.charCodeAt(2 * i + 1))
  }
}

const hexCodes = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/**
 * The same two functions as Node has them, or undefined elsewhere. For 32 bytes: slice 68 ns (above: 214), write 78
 * (above: 94); see `bench/guid.bench.ts`. They are methods of every Buffer and work on any Uint8Array.
 */
const nativeHex = (
  globalThis as {
    Buffer?: {
      prototype: {
        hexSlice?: (this: Uint8Array, start: number, end: number) => string
        hexWrite?: (this: Uint8Array, hex: string, offset: number, byteLength: number) => number
      }
    }
  }
).Buffer?.prototype
