import type { Guid } from '@plaxton/guid'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import type { PastryConfig } from '../src/config.ts'
import { pastryConfig } from '../src/config.ts'
import { PastryState } from '../src/state.ts'

export function ref(id: string, epoch = 1): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch }
}

export function guid(id: string): Guid {
  return id as Guid
}

/** An 8-bit id. */
export function byte(value: number): Guid {
  return (value & 255).toString(16).padStart(2, '0') as Guid
}

export function numberOf(id: Guid): number {
  return parseInt(id, 16)
}

/** Distance on the ring of 256. */
export function gap(a: number, b: number): number {
  const clockwise = (b - a) & 255
  return Math.min(clockwise, 256 - clockwise)
}

/** The slow and obvious order: by distance, and of two equally far the one clockwise from the key first. */
export function byCloseness(key: number): (a: number, b: number) => number {
  return (a, b) => gap(a, key) - gap(b, key) || ((a - key) & 255) - ((b - key) & 255)
}

/** `count` different 8-bit ids. */
export function someBytes(prng: Prng, count: number): number[] {
  return prng.shuffle(Array.from({ length: 256 }, (_, i) => i)).slice(0, count)
}

/** The state of a member that knows these nodes. */
export function memberState(self: NodeRef, others: readonly NodeRef[], config: Partial<PastryConfig> = {}): PastryState {
  const state = new PastryState(self, pastryConfig(config), Prng.fromSeed(self.id))
  for (const other of others) state.admit(other, new Recorder())
  state.standing = 'member'
  return state
}

export type Effect =
  | { readonly type: 'send'; readonly to: string; readonly message: Message }
  | { readonly type: 'timer'; readonly kind: string; readonly arg: number; readonly delayMs: Millis }
  | { readonly type: 'event'; readonly event: KbrEvent }
  | { readonly type: 'route'; readonly key: string; readonly payload: Uint8Array }
  | { readonly type: 'ready' }
  | { readonly type: 'neighbor'; readonly id: string; readonly joined: boolean }
  | { readonly type: 'failed' | 'recovered'; readonly id: string }
  | { readonly type: 'routes' }

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

  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }

  peerFailed(peer: NodeRef): void {
    this.log.push({ type: 'failed', id: peer.id })
  }

  peerRecovered(peer: NodeRef): void {
    this.log.push({ type: 'recovered', id: peer.id })
  }

  take(): Effect[] {
    const taken = this.log
    this.log = []
    return taken
  }

  /** What was sent, as `to type`. Forgets everything. */
  sent(): string[] {
    return this.take().flatMap((effect) => (effect.type === 'send' ? [`${effect.to} ${effect.message.type}`] : []))
  }
}
