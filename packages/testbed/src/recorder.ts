import type { Guid } from '@plaxton/guid'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'

export type Effect =
  | { readonly type: 'send'; readonly to: string; readonly message: Message }
  | { readonly type: 'timer'; readonly kind: string; readonly arg: number; readonly delayMs: Millis }
  | { readonly type: 'event'; readonly event: KbrEvent }
  | { readonly type: 'route'; readonly key: string; readonly payload: Uint8Array }
  | { readonly type: 'ready' | 'routes' }
  | { readonly type: 'neighbor'; readonly id: string; readonly joined: boolean }
  | { readonly type: 'failed' | 'recovered'; readonly id: string }

/** Turns effects back into values. */
export class Recorder implements OverlayEffects {
  private log: Effect[] = []

  send(to: NodeRef, message: Message): void {
    this.log.push({ type: 'send', to: to.id, message })
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.log.push({ type: 'timer', kind, arg, delayMs })
  }

  emit(event: KbrEvent): void {
    this.log.push({ type: 'event', event })
  }

  route(key: Guid, payload: Uint8Array): void {
    this.log.push({ type: 'route', key, payload })
  }

  becameReady(): void {
    this.log.push({ type: 'ready' })
  }

  neighborChanged(node: NodeRef, joined: boolean): void {
    this.log.push({ type: 'neighbor', id: node.id, joined })
  }

  routesChanged(): void {
    this.log.push({ type: 'routes' })
  }

  peerFailed(peer: NodeRef): void {
    this.log.push({ type: 'failed', id: peer.id })
  }

  peerRecovered(peer: NodeRef): void {
    this.log.push({ type: 'recovered', id: peer.id })
  }

  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }

  /** Everything since the last call. */
  take(): Effect[] {
    const taken = this.log
    this.log = []
    return taken
  }

  /** The messages since the last call, with the ids of those they go to; forgets the rest. */
  messages(): Array<[string, Message]> {
    return this.take().flatMap((effect) => (effect.type === 'send' ? [[effect.to, effect.message] as [string, Message]] : []))
  }

  /** The same, as `to type`. */
  sent(): string[] {
    return this.messages().map(([to, { type }]) => `${to} ${type}`)
  }
}
