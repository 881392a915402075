import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects, RefReader } from '@plaxton/kbr'
import type { CanMessage } from './messages.ts'
import { encodeRealitiesPayload } from './realities-codec.ts'
import { sendTo } from './realities-messages.ts'
import { ownWay } from './realities-next-hop.ts'

/**
 * What a node's part in one reality may do. What it says travels with the number of the reality, and so do its timers and what it routes, except probes, which are for the whole node. Of neighbours and ranks, of
 * being a member, and of peers that are gone, the world hears from reality 0 alone; of peers that failed from the node.
 */
export class RealityEffects implements OverlayEffects {
  private readonly reality: number
  private readonly realities: number
  private readonly onChanged: () => void
  private outside: OverlayEffects | undefined = undefined

  /** `onChanged`: what this part knows of its reality is other than before. */
  constructor(reality: number, realities: number, onChanged: () => void) {
    this.reality = reality
    this.realities = realities
    this.onChanged = onChanged
  }

  /** These effects for the input for which `outside` holds. */
  on(outside: OverlayEffects): this {
    this.outside = outside
    return this
  }

  send(to: NodeRef, message: Message): void {
    sendTo(to, { type: 'within', reality: this.reality, message: message as CanMessage }, this.fx)
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.fx.startTimer(kind === 'probe' ? kind : `${kind} ${this.reality}`, arg, delayMs)
  }

  emit(event: KbrEvent): void {
    const isOfTheNode = event.type === 'ready' || event.type === 'join-failed'
    if (event.type !== 'peer-failed' && (this.reality === 0 || !isOfTheNode)) this.fx.emit(event)
  }

  route(key: Guid, payload: Uint8Array): void {
    const { reality } = this
    this.fx.route(key, encodeRealitiesPayload({ type: 'own', reality, payload }), reality === 0 ? 0 : ownWay(reality, this.realities))
  }

  becameReady(): void {
    this.fx.becameReady()
  }

  neighborChanged(node: NodeRef, joined: boolean): void {
    if (this.reality === 0) this.fx.neighborChanged(node, joined)
  }

  routesChanged(): void {
    this.fx.routesChanged()
    this.onChanged()
  }

  ranksChanged(): void {
    if (this.reality === 0) this.fx.ranksChanged?.()
  }

  get readRef(): RefReader {
    return this.fx.readRef
  }

  peerFailed(peer: NodeRef): void {
    if (this.reality === 0) this.fx.peerFailed(peer)
  }

  peerRecovered(peer: NodeRef): void {
    this.fx.peerRecovered(peer)
  }

  private get fx(): OverlayEffects {
    assert(this.outside !== undefined, 'a reality does something only while the node handles an input')
    return this.outside
  }
}
