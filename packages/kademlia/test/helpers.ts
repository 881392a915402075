import type { Guid } from '@plaxton/guid'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { kademliaConfig } from '../src/config.ts'
import type { KademliaConfig } from '../src/index.ts'
import { KademliaState } from '../src/state.ts'

export function ref(id: string, epoch = 1): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch }
}

/** An 8-bit id. */
export function byte(value: number): Guid {
  return value.toString(16).padStart(2, '0') as Guid
}

/** `count` different 8-bit ids. */
export function someBytes(prng: Prng, count: number): number[] {
  return prng.shuffle(Array.from({ length: 256 }, (_, i) => i)).slice(0, count)
}

/** The slow and obvious order. */
export function byXor(key: number): (a: number, b: number) => number {
  return (a, b) => (a ^ key) - (b ^ key)
}

/** The state of a member that has met these nodes, in this order. */
export function memberState(self: number, others: readonly number[], config: Partial<KademliaConfig> = {}): KademliaState {
  const state = new KademliaState(ref(byte(self)), kademliaConfig(config), Prng.fromSeed(self))
  for (const other of others) state.admit(ref(byte(other)), 0, new Recorder())
  state.standing = 'member'
  return state
}

export type Effect =
  | { readonly type: 'send'; readonly to: string; readonly message: Message }
  | { readonly type: 'timer'; readonly kind: string; readonly arg: number; readonly delayMs: Millis }
  | { readonly type: 'event'; readonly event: KbrEvent }
  | { readonly type: 'neighbor'; readonly id: string; readonly joined: boolean }
  | { readonly type: 'ready' | 'routes' }
  | { readonly type: 'failed' | 'recovered'; readonly id: string }

/** Turns effects back into values. */
export class Recorder implements OverlayEffects {
  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })
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

  route(): void {
    throw new Error('Kademlia routes nothing of its own')
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

  take(): Effect[] {
    const taken = this.log
    this.log = []
    return taken
  }

  /** The messages sent, as `[to, message]`. Forgets everything. */
  sent(): Array<[string, Message]> {
    return this.take().flatMap((effect) => (effect.type === 'send' ? [[effect.to, effect.message] as [string, Message]] : []))
  }
}
