import type { Message } from '@plaxton/kbr'

/** What happened to the messages of one type. */
export interface TypeCount {
  /** Number of the type in the order of first use. */
  readonly index: number
  /** The type, followed by the application if the message is for one: `route past`. */
  readonly name: string
  sent: number
  delivered: number
  /** Encoded bytes sent; 0 unless messages travel as bytes. */
  bytes: number
}

/** Why a message did not arrive. */
/** `queue`: the queue before an access link was full. */
export type DropReason = 'loss' | 'partition' | 'dead host' | 'unknown address' | 'queue'

/** Counts messages by type, and by application where the message names one. */
export class MessageCounts {
  /** Messages handed to cores. */
  deliveries = 0
  /** Messages sent, whether they arrive or not. */
  sends = 0
  /** By type, then by application; '' for none. Two look-ups, because joining the words for each message would cost more than its delivery. */
  private readonly types = new Map<string, Map<string, TypeCount>>()
  private readonly all: TypeCount[] = []
  private readonly drops = new Map<DropReason, number>()

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
    return [...this.all].sort((a, b) => b.sent - a.sent || a.index - b.index)
  }

  /** Messages that did not arrive, by reason. */
  dropsByReason(): ReadonlyMap<DropReason, number> {
    return this.drops
  }

  private type(message: Message): TypeCount {
    const application = (message as { readonly application?: string }).application ?? ''
    return this.types.get(message.type)?.get(application) ?? this.newType(message.type, application)
  }

  private newType(type: string, application: string): TypeCount {
    const name = application === '' ? type : `${type} ${application}`
    const count = { index: this.all.length, name, sent: 0, delivered: 0, bytes: 0 }
    this.all.push(count)
    const byApplication = this.types.get(type) ?? new Map<string, TypeCount>()
    byApplication.set(application, count)
    this.types.set(type, byApplication)
    return count
  }
}
