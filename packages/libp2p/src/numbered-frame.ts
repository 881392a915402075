/**
 * Which virtual nodes a frame is from and for. A frame between the first nodes of two hosts travels as it is, so hosts that have one node each notice nothing
 * of all this. Any other has three bytes before it: 7, the number of the sender, and that of the receiver. No message begins with a byte 7, because
 * protobuf has neither a field 0 nor a wire type 7; a frame that does begin so is numbered too.
 *
 * A numbered frame with nothing behind its numbers says that there is no such node as the sender on this host, or no longer.
 */
export interface NumberedFrame {
  readonly from: number
  readonly to: number
  readonly frame: Uint8Array
}

const mark = 7

/** Bytes that numbers take. */
export const numbersLength = 3

/** The frame as it travels. */
export function numbered(from: number, to: number, frame: Uint8Array): Uint8Array {
  if (from === 0 && to === 0 && frame[0] !== mark) return frame
  const bytes = new Uint8Array(numbersLength + frame.length)
  bytes[0] = mark
  bytes[1] = from
  bytes[2] = to
  bytes.set(frame, numbersLength)
  return bytes
}

/** What arrived; undefined when it is cut off. The numbers may be of nobody. */
export function readNumbered(bytes: Uint8Array): NumberedFrame | undefined {
  if (bytes[0] !== mark) return { from: 0, to: 0, frame: bytes }
  const [, from, to] = bytes
  return from === undefined || to === undefined ? undefined : { from, to, frame: bytes.subarray(numbersLength) }
}
