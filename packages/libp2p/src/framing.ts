import { LinkProtocolError } from './errors.ts'

/**
 * Frames on a stream: an unsigned varint with the frame's length, then the frame, again and again. Length 0 is not a frame.
 */

/** Bytes the length of a frame takes: frames of this package stay below 2^28. */
const maxLengthBytes = 4

/** Bytes that `length` takes as an unsigned varint. */
export function lengthOfLength(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x20_0000 ? 3 : 4
}

/** Writes `length` as an unsigned varint at `offset`; returns the offset after it. */
export function writeLength(length: number, into: Uint8Array, offset: number): number {
  while (length >= 0x80) {
    into[offset++] = (length & 0x7f) | 0x80
    length >>>= 7
  }
  into[offset++] = length
  return offset
}

/**
 * Cuts a stream of chunks back into frames. A frame that lies whole in one chunk is handed out as a view of that chunk; one
 * that does not is gathered in a buffer that doubles as bytes arrive, so each byte is copied at most twice and a stranger
 * who announces a megabyte and sends three bytes costs three bytes.
 */
export class Deframer {
  private readonly maxFrameLength: number
  private readonly onFrame: (frame: Uint8Array) => void
  /** The length being read: its value so far and how many bytes of it have come. */
  private length = 0
  private lengthBytes = 0
  /** The frame being gathered; undefined between frames. */
  private gathering: Uint8Array | undefined
  private gathered = 0

  constructor(maxFrameLength: number, onFrame: (frame: Uint8Array) => void) {
    this.maxFrameLength = maxFrameLength
    this.onFrame = onFrame
  }

  /** True while a frame has begun and not ended: its sender owes us bytes. */
  get midFrame(): boolean {
    return this.gathering !== undefined || this.lengthBytes > 0
  }

  /** Bytes of memory held for the unfinished frame. */
  get heldBytes(): number {
    return this.gathering?.length ?? 0
  }

  /** Takes the next chunk. Throws {@link LinkProtocolError} on an impossible length; the stream is of no use afterwards. */
  push(chunk: Uint8Array): void {
    let offset = 0
    while (offset < chunk.length) {
      if (this.gathering !== undefined) {
        offset = this.gather(chunk, offset)
        continue
      }
      const byte = chunk[offset++] as number
      this.length |= (byte & 0x7f) << (7 * this.lengthBytes++)
      if (byte >= 0x80) {
        if (this.lengthBytes === maxLengthBytes) throw new LinkProtocolError('frame length takes more than 4 bytes')
        continue
      }
      offset = this.begin(chunk, offset)
    }
  }

  /** The length is known: hands the frame out at once if it is all here, else starts to gather it. */
  private begin(chunk: Uint8Array, offset: number): number {
    const length = this.length
    this.length = 0
    this.lengthBytes = 0
    if (length === 0 || length > this.maxFrameLength) {
      throw new LinkProtocolError(`frame of ${length} bytes announced, allowed is 1 to ${this.maxFrameLength}`)
    }
    const end = offset + length
    if (end <= chunk.length) {
      this.onFrame(chunk.subarray(offset, end))
      return end
    }
    this.length = length
    this.gathering = new Uint8Array(Math.min(length, Math.max(1024, 2 * (chunk.length - offset))))
    this.gathered = 0
    return offset
  }

  private gather(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.length, offset + this.length - this.gathered)
    const needed = this.gathered + end - offset
    let buffer = this.gathering as Uint8Array
    if (needed > buffer.length) {
      const larger = new Uint8Array(Math.min(this.length, Math.max(needed, 2 * buffer.length)))
      larger.set(buffer.subarray(0, this.gathered))
      this.gathering = buffer = larger
    }
    buffer.set(chunk.subarray(offset, end), this.gathered)
    this.gathered = needed
    if (needed === this.length) {
      this.gathering = undefined
      this.length = 0
      this.onFrame(buffer)
    }
    return end
  }
}
