import { framed } from './frame-queue.ts'
import { writable } from './writable.ts'
import type { Stream } from '@libp2p/interface'
import type { FrameQueue } from './frame-queue.ts'

/** Bytes handed to the stream at once, so that small frames of other streams get in between: what one window-full of yamux is a quarter of. */
const sliceBytes = 64 * 1024

export interface BlockSenderInit {
  readonly queue: FrameQueue
  readonly maxStreams: number
  /** Opens a stream whose hello has been sent. */
  readonly open: () => Promise<Stream>
  readonly timeoutMs: number
  onSent(bytes: number): void
  /** Opening failed, or a stream broke in the middle of a block. */
  onFailed(error: Error): void
}

/** Sends blocks to one peer on streams of their own, a few at a time, so that small frames never wait for a whole block. */
export class BlockSender {
  private readonly init: BlockSenderInit
  private streams = 0

  constructor(init: BlockSenderInit) {
    this.init = init
  }

  /** Something was queued: opens one more stream if there may be one. */
  wake(): void {
    if (this.init.queue.length > 0 && this.streams < this.init.maxStreams) void this.run()
  }

  private async run(): Promise<void> {
    this.streams++
    let stream: Stream | undefined
    try {
      stream = await this.init.open()
      for (let block = this.init.queue.take(); block !== undefined; block = this.init.queue.take()) {
        const bytes = framed(block)
        await this.write(stream, bytes)
        this.init.onSent(bytes.length)
      }
      await stream.close({ signal: AbortSignal.timeout(this.init.timeoutMs) })
    } catch (error) {
      stream?.abort(error as Error)
      this.init.onFailed(error as Error)
    } finally {
      this.streams--
    }
  }

  private async write(stream: Stream, bytes: Uint8Array): Promise<void> {
    const timer = setTimeout(() => stream.abort(new Error('a block did not leave in time')), this.init.timeoutMs)
    try {
      for (let offset = 0; offset < bytes.length; offset += sliceBytes) {
        stream.send(bytes.subarray(offset, offset + sliceBytes))
        await writable(stream)
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
