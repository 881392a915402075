import type { Guid } from '@plaxton/guid'
import type { Message, Millis, NodeRef, Overlay, OverlayEffects, OverlayFactory } from '@plaxton/kbr'

/** Messages kept of each kind. When full, later ones are not kept. */
const mostKept = 4_000

/** Keeps what the overlays of a network say to each other, as bytes. */
export class Tape {
  /** The overlay's own messages. */
  readonly messages: Uint8Array[] = []
  /** The payloads that it routes. */
  readonly payloads: Uint8Array[] = []

  /** The same overlay, listened to. */
  of(factory: OverlayFactory): OverlayFactory {
    return { name: factory.name, create: (self, prng) => this.listenTo(factory.create(self, prng)) }
  }

  private listenTo(overlay: Overlay): Overlay {
    const { codec } = overlay
    const encode = (message: Message): Uint8Array => keep(this.messages, codec.encode(message))
    const forwardOwn = overlay.forwardOwn.bind(overlay)
    const listening = (
      key: Guid,
      payload: Uint8Array,
      hops: number,
      nextHop: NodeRef | undefined,
      now: Millis,
      fx: OverlayEffects,
    ): boolean => forwardOwn(key, keep(this.payloads, payload), hops, nextHop, now, fx)
    return Object.defineProperties(overlay, {
      codec: { value: { encode, decode: codec.decode.bind(codec) } },
      forwardOwn: { value: listening },
    })
  }
}

function keep(all: Uint8Array[], bytes: Uint8Array): Uint8Array {
  if (all.length < mostKept) all.push(bytes)
  return bytes
}
