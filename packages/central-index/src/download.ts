import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands } from './errands.ts'

/** Whom a download tells how it goes with one peer. */
export interface DownloadListener {
  /** Whether nobody wants the rest any more. */
  readonly isOver: () => boolean
  /** More bytes have come, in order. */
  readonly onPiece: (fx: AppEffects) => void
  /** The file is complete, or the peer has failed: `problem` says how. Called once. */
  readonly onEnd: (problem: string | undefined, now: Millis, fx: AppEffects) => void
}

/**
 * The bytes of one file as they come in: pieces from one peer at a time, several of them asked for at once. What has come in order stays when the peer fails, and
 * the next one goes on there. Nothing is set aside on a peer's word: memory grows with the bytes that have come.
 */
export class Download {
  private readonly config: ClientConfig
  private readonly errands: Errands
  private readonly guid: Guid
  private pieces: Uint8Array[] = []
  /** Bytes that have come in order. */
  length = 0
  /** Of the whole file, as the first peer said; the others must say the same. */
  private size: number | undefined = undefined
  /** Those who sent pieces, in the order of their first ones. */
  senders: NodeRef[] = []

  constructor(config: ClientConfig, errands: Errands, guid: Guid) {
    this.config = config
    this.errands = errands
    this.guid = guid
  }

  /** Whether a file of this size can be the one that was begun. */
  fits(size: number): boolean {
    return size <= this.config.fileBytesMax && (this.length === 0 || this.size === size)
  }

  clear(): void {
    this.pieces = []
    this.length = 0
    this.size = undefined
    this.senders = []
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.length)
    let at = 0
    for (const piece of this.pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /** Takes what is missing of `size` bytes from `peer`. */
  from(peer: NodeRef, size: number, now: Millis, fx: AppEffects, listener: DownloadListener): void {
    this.size = size
    if (this.length === size) {
      // An empty file.
      if (!this.senders.some((sender) => sameNode(sender, peer))) this.senders.push(peer)
      return listener.onEnd(undefined, now, fx)
    }
    new Transfer(this.config, this.errands, this.guid, this, peer, size, listener).askMore(fx)
  }

  /** The next bytes in order. */
  append(piece: Uint8Array, sender: NodeRef): void {
    this.pieces.push(piece)
    this.length += piece.length
    if (!this.senders.some((each) => sameNode(each, sender))) this.senders.push(sender)
  }
}

/** What one peer is asked for. */
class Transfer {
  private readonly config: ClientConfig
  private readonly errands: Errands
  private readonly guid: Guid
  private readonly download: Download
  private readonly peer: NodeRef
  private readonly size: number
  private readonly listener: DownloadListener
  /** Where the next piece to ask for begins. */
  private asked: number
  /** Pieces that came before those that precede them. Bound: `piecesInFlight`. */
  private readonly early = new Map<number, Uint8Array>()
  private inFlight = 0
  private over = false

  constructor(
    config: ClientConfig,
    errands: Errands,
    guid: Guid,
    download: Download,
    peer: NodeRef,
    size: number,
    listener: DownloadListener,
  ) {
    this.config = config
    this.errands = errands
    this.guid = guid
    this.download = download
    this.peer = peer
    this.size = size
    this.listener = listener
    this.asked = download.length
  }

  /** Keeps as many pieces under way as there may be. */
  askMore(fx: AppEffects): void {
    const { pieceBytes, piecesInFlight } = this.config
    while (this.inFlight + this.early.size < piecesInFlight && this.asked < this.size) {
      const offset = this.asked
      const length = Math.min(pieceBytes, this.size - offset)
      this.asked += length
      this.ask(offset, length, fx)
    }
  }

  private ask(offset: number, length: number, fx: AppEffects): void {
    this.inFlight++
    const { guid, peer, config } = this
    this.errands.request(peer, { type: 'piece', guid, offset, length }, config.pieceMs, fx, (answered, now, effects) => {
      this.inFlight--
      if (this.over || this.listener.isOver()) return
      if (!answered.ok) return this.end(answered.failure.detail, now, effects)
      const { answer } = answered
      if (answer.type !== 'data' || answer.size !== this.size || answer.bytes.length !== length)
        return this.end('it sent something else than it was asked for', now, effects)
      this.early.set(offset, answer.bytes)
      if (this.takeInOrder()) this.listener.onPiece(effects)
      if (this.download.length === this.size) this.end(undefined, now, effects)
      else this.askMore(effects)
    })
  }

  private takeInOrder(): boolean {
    const before = this.download.length
    for (;;) {
      const next = this.early.get(this.download.length)
      if (next === undefined) return this.download.length > before
      this.early.delete(this.download.length)
      this.download.append(next, this.peer)
    }
  }

  private end(problem: string | undefined, now: Millis, fx: AppEffects): void {
    this.over = true
    this.listener.onEnd(problem, now, fx)
  }
}
