import { Deframer } from './framing.ts'
import { LinkProtocolError } from './errors.ts'
import { grantWindowByHalves } from './window-updates.ts'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import type { NodeRef } from '@plaxton/kbr'
import type { ByteBudget, LinkLimits } from './limits.ts'

/** What the link does with what arrives. */
export interface InboundEvents {
  /** The first frame: who the peer says it is. Throws {@link LinkProtocolError} when it may not say so. */
  onHello(hello: Uint8Array): NodeRef
  /** False: the frame was no message. */
  onFrame(from: NodeRef, frame: Uint8Array): false | void
  /** The stream is over; `breach` when this end reset it. */
  onEnd(stream: InboundStream, breach: Error | undefined): void
}

export interface InboundStreamInit {
  readonly stream: Stream
  readonly maxFrameBytes: number
  readonly limits: LinkLimits
  /** Pay for the memory of unfinished frames: the peer's share, and the whole link's. */
  readonly peerBudget: ByteBudget
  readonly linkBudget: ByteBudget
  readonly events: InboundEvents
}

/**
 * A stream a peer opened to us: a hello, then frames. Whatever a stranger does here ends at worst in the reset of this one stream; no
 * exception leaves a listener, for that would end the process.
 */
export class InboundStream {
  private readonly stream: Stream
  private readonly limits: LinkLimits
  private readonly peerBudget: ByteBudget
  private readonly linkBudget: ByteBudget
  private readonly events: InboundEvents
  private readonly deframer: Deframer
  private from: NodeRef | undefined
  private held = 0
  private garbledInARow = 0
  /** When the hello or the frame begun must have ended; undefined while the peer owes nothing. In `performance.now()`. */
  private deadline: number | undefined
  private ended = false

  constructor(init: InboundStreamInit) {
    const { stream, limits } = init
    this.stream = stream
    this.limits = limits
    this.peerBudget = init.peerBudget
    this.linkBudget = init.linkBudget
    this.events = init.events
    this.deframer = new Deframer(init.maxFrameBytes, (frame) => this.onFrame(frame))
    this.deadline = performance.now() + limits.helloTimeoutMs
    grantWindowByHalves(stream)
    stream.addEventListener('message', (event) => this.onMessage(event))
    // A half-closed stream stays in the connection's list until both ends have closed.
    stream.addEventListener('remoteCloseWrite', () => void stream.close().catch((error: Error) => stream.abort(error)))
    stream.addEventListener('close', () => this.end(undefined))
  }

  /** Resets the stream if its peer has been too slow. */
  checkDeadline(now: number): void {
    if (this.deadline !== undefined && now >= this.deadline) {
      this.reset(new LinkProtocolError(this.from === undefined ? 'no hello in time' : 'a frame did not end in time'))
    }
  }

  /** Ends the stream without a breach. */
  close(): void {
    this.end(undefined)
    this.stream.abort(new Error('the link closed'))
  }

  private onMessage(event: StreamMessageEvent): void {
    if (this.ended) return
    try {
      const { data } = event
      if (data instanceof Uint8Array) this.deframer.push(data)
      else for (const chunk of data) this.deframer.push(chunk)
      this.account()
    } catch (error) {
      this.reset(error as Error)
    }
  }

  private onFrame(frame: Uint8Array): void {
    if (this.ended) return
    if (this.from === undefined) this.from = this.events.onHello(frame)
    else if (this.events.onFrame(this.from, frame) === false) this.onGarbled()
    else this.garbledInARow = 0
    this.deadline = undefined
  }

  /** A newer version may send what we do not understand; one who sends nothing else wastes our time. */
  private onGarbled(): void {
    if (++this.garbledInARow >= this.limits.maxGarbledInARow)
      throw new LinkProtocolError(`${this.garbledInARow} frames in a row were no messages`)
  }

  /** After each chunk: pays for what is held, and starts the clock of a frame that has begun. */
  private account(): void {
    const held = this.deframer.heldBytes
    this.giveBack()
    if (!this.peerBudget.take(held)) throw new LinkProtocolError('too many unfinished frames of one peer')
    if (!this.linkBudget.take(held)) {
      this.peerBudget.give(held)
      throw new LinkProtocolError('too many unfinished frames of all peers')
    }
    this.held = held
    if (this.from !== undefined && this.deframer.midFrame) this.deadline ??= performance.now() + this.limits.frameTimeoutMs
  }

  private reset(error: Error): void {
    this.end(error)
    this.stream.abort(error)
  }

  private end(breach: Error | undefined): void {
    if (this.ended) return
    this.ended = true
    this.giveBack()
    this.events.onEnd(this, breach)
  }

  private giveBack(): void {
    this.peerBudget.give(this.held)
    this.linkBudget.give(this.held)
    this.held = 0
  }
}
