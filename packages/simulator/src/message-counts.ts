import type { Message } from '@plaxton/kbr'

/** What happened to the messages of one type. */
export interface TypeCount {
  /** Number of the type in the order of first use. */
  readonly index: number
  readonly name: string
  sent: number
  delivered: number
  /** Encoded bytes sent; 0 unless messages travel as bytes. */
  bytes: number
}

/** Why a message did not arrive. */
export type DropReason = 'loss' | 'partition' | 'dead host' | 'unknown address'

/** Counts messages by type. */
export class MessageCounts {
  /** Messages handed to cores. */
  deliveries = 0
  /** Messages sent, whether they arrive or not. */
  sends = 0
  private readonly nameOf: (message: Message) => string
  private readonly types = new Map<string, TypeCount>()
  private readonly drops = new Map<DropReason, number>()

  constructor(nameOf: (message: Message) => string = (message) => message.type) {
    this.nameOf = nameOf
  }

  sent(message: Message, bytes: Uint8Array | undefined): void {
    const type = this.type(message)
    this.sends++
    type.sent++
    if (bytes !== undefined) type.bytes += bytes.length
  }

  delivered(message: Message): TypeCount {
    const type = this.type(message)
    this.deliveries++
    type.delivered++
    return type
  }

  dropped(reason: DropReason): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1)
  }

  /** Counts by type, most sent first. */
  byType(): TypeCount[] {
    return [...this.types.values()].sort((a, b) => b.sent - a.sent || a.index - b.index)
  }

  /** Messages that did not arrive, by reason. */
  dropsByReason(): ReadonlyMap<DropReason, number> {
    return this.drops
  }

  private type(message: Message): TypeCount {
    const name = this.nameOf(message)
    let type = this.types.get(name)
    if (type === undefined) {
      type = { index: this.types.size, name, sent: 0, delivered: 0, bytes: 0 }
      this.types.set(name, type)
    }
    return type
  }
}
