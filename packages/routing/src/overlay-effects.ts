import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { KbrEvent, Message, Millis, NodeRef, OverlayEffects, RefReader, Timer } from '@plaxton/kbr'
import { overlayName, routingMessageTypes } from './messages.ts'
import type { Stack } from './stack.ts'

/** What the overlay of a node may do, made once. What concerns applications or messages under way becomes a task of the step. */
export class OverlayStack implements OverlayEffects {
  private readonly stack: Stack

  constructor(stack: Stack) {
    this.stack = stack
  }

  send(to: NodeRef, message: Message): void {
    assert(!routingMessageTypes.has(message.type), 'an overlay may not send a message whose type is one of the walking')
    this.stack.send(to, message)
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.stack.fx.startTimer(arg === 0 ? periodic(kind) : { owner: overlayName, kind, arg }, delayMs)
  }

  emit(event: KbrEvent): void {
    this.stack.emit(event)
  }

  route(key: Guid, payload: Uint8Array, cursor = 0): void {
    this.stack.later({ type: 'route-own', key, payload, cursor })
  }

  becameReady(): void {
    this.stack.later({ type: 'became-ready' })
  }

  neighborChanged(node: NodeRef, joined: boolean): void {
    this.stack.later({ type: 'neighbor-changed', node, joined })
  }

  routesChanged(): void {
    this.stack.onRoutesChanged()
  }

  ranksChanged(): void {
    this.stack.onRanksChanged()
  }

  get readRef(): RefReader {
    return this.stack.readRef
  }

  peerFailed(peer: NodeRef): void {
    this.stack.later({ type: 'peer-failed', peer })
  }

  peerRecovered(peer: NodeRef): void {
    this.stack.later({ type: 'peer-recovered', peer })
  }
}

/** Timers are values. Those without an argument, which every node has several of at any time, are shared. */
function periodic(kind: string): Timer {
  let timer = periodicTimers.get(kind)
  if (timer === undefined) periodicTimers.set(kind, (timer = { owner: overlayName, kind, arg: 0 }))
  return timer
}

/** By kind. Bound: the kinds there are. */
const periodicTimers = new Map<string, Timer>()
