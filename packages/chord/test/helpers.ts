import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { chordConfig } from '../src/config.ts'
import type { ChordConfig } from '../src/config.ts'
import { ChordState } from '../src/state.ts'

export function guid(id: string): Guid {
  return id as Guid
}

export function ref(id: string, epoch = 1): NodeRef {
  return { id: guid(id), address: `test:${id}`, epoch }
}

/** An 8-bit id. */
export function byte(value: number): Guid {
  return guid((value & 255).toString(16).padStart(2, '0'))
}

/** `count` different 8-bit ids. */
export function someBytes(prng: Prng, count: number): Guid[] {
  return prng.shuffle(Array.from({ length: 256 }, (_, i) => byte(i))).slice(0, count)
}

/** The slow and obvious order of responsibility for an 8-bit key: clockwise from it. */
export function clockwiseFrom(key: string, ids: readonly Guid[]): Guid[] {
  const steps = (id: string): number => (parseInt(id, 16) - parseInt(key, 16)) & 255
  return [...ids].sort((a, b) => steps(a) - steps(b))
}

/** The state of a member that knows what a member of a ring of these ids should know. */
export function memberState(self: Guid, ids: readonly Guid[], config: Partial<ChordConfig> = {}): ChordState {
  const state = new ChordState(ref(self), chordConfig(config), Prng.fromSeed(self))
  const fx = new Recorder()
  const others = clockwiseFrom(self, ids).filter((id) => id !== self)
  for (const id of others) state.admit(ref(id), fx)
  const { predecessor, successors, whole } = state.lists
  if (predecessor !== undefined) state.lists.confirm(predecessor.id, self)
  const { furthest } = successors
  if (!whole && furthest !== undefined) {
    for (let index = state.fingers.leastBeyond(furthest); index <= state.fingers.highest; index++) {
      state.fingers.place(
        index,
        clockwiseFrom(state.fingers.start(index), ids).map((id) => ref(id)),
      )
    }
    for (const id of others) state.fingers.admit(ref(id))
  }
  state.standing = 'member'
  state.assertInvariants()
  return state
}

type Effect =
  | { readonly type: 'send'; readonly to: string; readonly message: Message }
  | { readonly type: 'timer'; readonly kind: string; readonly arg: number; readonly delayMs: Millis }
  | { readonly type: 'event'; readonly event: KbrEvent }
  | { readonly type: 'route'; readonly key: string; readonly payload: Uint8Array }
  | { readonly type: 'ready' | 'routes' }
  | { readonly type: 'neighbor'; readonly id: string; readonly joined: boolean }
  | { readonly type: 'failed' | 'recovered'; readonly id: string }

/** Turns effects back into values. */
class Recorder implements OverlayEffects {
  private log: Effect[] = []
  readonly readRef = (id: Guid, address: string, epoch: number): NodeRef => ({ id, address, epoch })

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

  take(): Effect[] {
    const taken = this.log
    this.log = []
    return taken
  }
}
