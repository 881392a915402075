import { PlaxtonError } from '@plaxton/kbr'

/**
 * Frames on the control socket: a line with a JSON object, and behind it as many bytes as its field `bytes` says.
 */

/** Longest line, its end not counted. The longest in use are paths and errors; a stranger's longer one ends the connection. */
export const maxHeaderBytes = 64 * 1024

/** Longest body: a message to an object, or its answer, is one frame, and DOLR lets them have as much. */
export const maxBodyBytes = 1024 * 1024

/** Content of files comes in pieces of this size. Our choice: a quarter of a block, so that a frame costs little beside what it carries. */
export const pieceBytes = 256 * 1024

/** One frame. */
export interface Frame {
  /** An object with a `type`. */
  readonly header: FrameHeader
  /** Undefined when the header has no `bytes`. */
  readonly body: Uint8Array | undefined
}

export interface FrameHeader {
  readonly type: string
  readonly [field: string]: unknown
}

/** The other end does not speak the control protocol; the connection ends. */
export class ControlProtocolError extends PlaxtonError {
  constructor(message: string) {
    super('ControlProtocolError', 'ERR_CONTROL_PROTOCOL', message)
  }
}

/** The bytes of a frame. Throws `RangeError` for a frame that is too large to be sent: a bug of ours. */
export function encodeFrame(header: FrameHeader, body?: Uint8Array): Uint8Array {
  const line = Buffer.from(JSON.stringify(body === undefined ? header : { ...header, bytes: body.length }), 'utf8')
  if (line.length > maxHeaderBytes) throw new RangeError(`a header of ${line.length} bytes, allowed is ${maxHeaderBytes}`)
  if (body !== undefined && body.length > maxBodyBytes) throw new RangeError(`a body of ${body.length} bytes, allowed is ${maxBodyBytes}`)
  return Buffer.concat(body === undefined ? [line, newline] : [line, newline, body])
}

/**
 * Cuts chunks into frames, reading no further than somebody asks. Ends with the chunks; throws {@link ControlProtocolError} for what is no
 * frame, and when the chunks end within one.
 */
export async function* readFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void, undefined> {
  const reader = new ChunkReader(chunks)
  for (;;) {
    const line = await reader.line()
    if (line === undefined) return
    const { header, bodyBytes } = parseHeader(line)
    yield { header, body: bodyBytes === undefined ? undefined : await reader.bytes(bodyBytes) }
  }
}

const newline = Buffer.from('\n')
const newlineByte = 0x0a

function parseHeader(line: Buffer): { header: FrameHeader; bodyBytes: number | undefined } {
  let value: unknown
  try {
    value = JSON.parse(line.toString('utf8'))
  } catch {
    throw new ControlProtocolError('a header is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ControlProtocolError('a header is not an object')
  const { bytes, ...header } = value as Record<string, unknown>
  if (typeof header['type'] !== 'string') throw new ControlProtocolError('a header has no type')
  if (bytes !== undefined && !(Number.isInteger(bytes) && (bytes as number) >= 0 && (bytes as number) <= maxBodyBytes)) {
    throw new ControlProtocolError(`a body of ${JSON.stringify(bytes).slice(0, 32)} bytes is announced, allowed is 0 to ${maxBodyBytes}`)
  }
  return { header: header as FrameHeader, bodyBytes: bytes as number | undefined }
}

/** Takes lines and counted bytes off a source of chunks. Holds at most one frame and one chunk. */
class ChunkReader {
  private readonly chunks: AsyncIterator<Uint8Array>
  private rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next line without its end; undefined when there is nothing more. */
  async line(): Promise<Buffer | undefined> {
    let searched = 0
    for (;;) {
      const end = this.rest.indexOf(newlineByte, searched)
      if (end > maxHeaderBytes || (end < 0 && this.rest.length > maxHeaderBytes)) {
        throw new ControlProtocolError(`a header is longer than ${maxHeaderBytes} bytes`)
      }
      if (end >= 0) {
        const line = this.rest.subarray(0, end)
        this.rest = this.rest.subarray(end + 1)
        return line
      }
      searched = this.rest.length
      if (await this.more()) continue
      if (this.rest.length === 0) return undefined
      throw new ControlProtocolError('the connection ended within a header')
    }
  }

  async bytes(count: number): Promise<Uint8Array> {
    while (this.rest.length < count) {
      if (!(await this.more())) throw new ControlProtocolError('the connection ended within a body')
    }
    const bytes = this.rest.subarray(0, count)
    this.rest = this.rest.subarray(count)
    return bytes
  }

  private async more(): Promise<boolean> {
    const next = await this.chunks.next()
    if (next.done === true) return false
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length)
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    return true
  }
}
