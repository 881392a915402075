import { lengthOfLength, writeLength } from './framing.ts'
import type { ByteBudget } from './limits.ts'

/** What a waiting frame costs besides its bytes: its view, its place in the list. Keeps a queue of tiny frames honest. */
const overheadBytes = 64

/** Frames waiting for one peer, in order. */
export class FrameQueue {
  private readonly limit: number
  private readonly shared: ByteBudget
  private frames: Uint8Array[] = []
  private head = 0
  private bytes = 0

  /** Holds at most `limit` bytes, which also count towards `shared`. */
  constructor(limit: number, shared: ByteBudget) {
    this.limit = limit
    this.shared = shared
  }

  get length(): number {
    return this.frames.length - this.head
  }

  /** False when there is no room for it. */
  push(frame: Uint8Array): boolean {
    const cost = frame.length + overheadBytes
    if (this.bytes + cost > this.limit || !this.shared.take(cost)) return false
    this.bytes += cost
    this.frames.push(frame)
    return true
  }

  take(): Uint8Array | undefined {
    const frame = this.frames[this.head]
    if (frame === undefined) return undefined
    this.advance(1, frame.length + overheadBytes)
    return frame
  }

  /** As many frames as fit into `maxBytes`, at least one, each behind its length; undefined when none waits. */
  takeBatch(maxBytes: number): { readonly bytes: Uint8Array; readonly frames: number } | undefined {
    let size = 0
    let cost = 0
    let end = this.head
    for (; end < this.frames.length; end++) {
      const { length } = this.frames[end] as Uint8Array
      const framed = lengthOfLength(length) + length
      if (size > 0 && size + framed > maxBytes) break
      size += framed
      cost += length + overheadBytes
    }
    if (size === 0) return undefined
    const bytes = new Uint8Array(size)
    let offset = 0
    for (let i = this.head; i < end; i++) {
      const frame = this.frames[i] as Uint8Array
      offset = writeLength(frame.length, bytes, offset)
      bytes.set(frame, offset)
      offset += frame.length
    }
    const count = end - this.head
    this.advance(count, cost)
    return { bytes, frames: count }
  }

  /** Forgets all; returns how many there were. */
  clear(): number {
    const { length } = this
    this.advance(length, this.bytes)
    return length
  }

  private advance(count: number, cost: number): void {
    this.head += count
    this.bytes -= cost
    this.shared.give(cost)
    if (this.head === this.frames.length) {
      this.frames = []
      this.head = 0
    } else if (this.head > 1024 && this.head * 2 > this.frames.length) {
      this.frames = this.frames.slice(this.head)
      this.head = 0
    }
  }
}

/** One frame behind its length. */
export function framed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(lengthOfLength(frame.length) + frame.length)
  bytes.set(frame, writeLength(frame.length, bytes, 0))
  return bytes
}
