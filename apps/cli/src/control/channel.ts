import { encodeFrame, readFrames } from './frames.ts'
import type { Socket } from 'node:net'
import type { Frame, FrameHeader } from './frames.ts'

/** Frames both ways on one socket. */
export class ControlChannel {
  /** What the other end sends, read no faster than it is taken. Throws `ControlProtocolError` for garbage, and when the socket breaks. */
  readonly frames: AsyncGenerator<Frame, void, undefined>
  private readonly socket: Socket
  private error: Error | undefined

  constructor(socket: Socket) {
    this.socket = socket
    this.frames = readFrames(socket)
    // A socket's error without a listener ends the process; reading and sending tell of it.
    socket.on('error', (error) => {
      this.error ??= error
    })
  }

  /** Resolves when there is room for more; rejects when the connection has ended. */
  async send(header: FrameHeader, body?: Uint8Array): Promise<void> {
    const { socket } = this
    if (!socket.writable) throw this.ended()
    if (socket.write(encodeFrame(header, body))) return
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        socket.off('drain', settle)
        socket.off('close', settle)
        if (socket.writable) resolve()
        else reject(this.ended())
      }
      socket.on('drain', settle)
      socket.on('close', settle)
    })
  }

  /** Sends what is still to be sent, and no more. */
  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  private ended(): Error {
    return this.error ?? new Error('the connection has ended')
  }
}
