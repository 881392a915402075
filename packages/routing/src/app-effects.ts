import type { Guid } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import type {
  AppEffects,
  Application,
  KbrEvent,
  KeyRange,
  Millis,
  NodeRef,
  Question,
  RefReader,
  ReplyHandle,
  RequestOptions,
  RouteOptions,
} from '@plaxton/kbr'
import type { TellMessage } from './messages.ts'
import { answered, failed } from './outcome.ts'
import type { ReplyHandles } from './reply-handles.ts'
import type { Host, Stack } from './stack.ts'

/**
 * What one application of a node may do, made once. Calls that may lead to another upcall become tasks of the step, so an application
 * is never entered while it is busy; the others go straight to the driver.
 */
export class AppStack implements AppEffects, Host {
  readonly name: string
  readonly application: Application
  readonly fx: AppEffects = this
  private readonly stack: Stack
  private readonly handles: ReplyHandles

  constructor(application: Application, stack: Stack, handles: ReplyHandles) {
    this.name = application.name
    this.application = application
    this.stack = stack
    this.handles = handles
  }

  get self(): NodeRef {
    return this.stack.self
  }

  get ready(): boolean {
    return this.stack.overlay.ready && !this.stack.left
  }

  localLookup(key: Guid, num: number, safe: boolean): NodeRef[] {
    return this.stack.overlay.localLookup(key, num, safe)
  }

  neighborSet(num: number): NodeRef[] {
    return this.stack.overlay.neighborSet(num)
  }

  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return this.stack.overlay.replicaSet(key, maxRank)
  }

  range(node: NodeRef, rank: number, lkey: Guid): KeyRange | undefined {
    return this.stack.overlay.range(node, rank, lkey)
  }

  route(key: Guid, payload: Uint8Array, options: RouteOptions = {}): number {
    if (key.length !== this.self.id.length) throw new InvalidValueError('key', key, `${4 * this.self.id.length} bits wide`)
    this.checkPayload(payload)
    const wantsReply = options.replyWithinMs !== undefined
    if (wantsReply) this.checkWait('options.replyWithinMs', options.replyWithinMs)
    checkNearestOf(options.nearestOf)
    const id = wantsReply ? this.stack.nextId() : 0
    this.stack.later({ type: 'route', host: this, id, key, payload, options })
    return id
  }

  request(to: NodeRef, payload: Uint8Array, options: RequestOptions): number {
    this.checkPayload(payload)
    this.checkWait('options.withinMs', options.withinMs)
    const id = this.stack.nextId()
    this.stack.later({ type: 'request', host: this, id, to, payload, withinMs: options.withinMs })
    return id
  }

  tell(to: NodeRef, payload: Uint8Array): void {
    this.checkPayload(payload)
    if (to.id === this.self.id) return this.stack.later({ type: 'tell-self', host: this, payload })
    const message: TellMessage = { type: 'tell', application: this.application.name, payload }
    this.stack.send(to, message)
  }

  reply(handle: ReplyHandle, payload: Uint8Array): void {
    this.checkPayload(payload)
    this.handles.used(handle)
    this.stack.later({ type: 'answer', handle, outcome: answered(payload) })
  }

  refuse(handle: ReplyHandle, reason: string): void {
    this.handles.used(handle)
    this.stack.later({ type: 'answer', handle, outcome: failed('rejected by application', reason, this.self) })
  }

  startTimer(kind: string, arg: number, delayMs: Millis): void {
    this.stack.fx.startTimer({ owner: this.application.name, kind, arg }, delayMs)
  }

  ask(token: number, question: Question): void {
    this.stack.fx.ask(this.application.name, token, question)
  }

  emit(event: KbrEvent): void {
    this.stack.emit(event)
  }

  handedOver(): void {
    this.stack.later({ type: 'handed-over', host: this })
  }

  roundTripMs(peer: NodeRef): Millis | undefined {
    return this.stack.roundTrips.smoothedMs(peer.id) ?? this.stack.overlay.measuredMs?.(peer)
  }

  get hostOf(): ((node: NodeRef) => string) | undefined {
    return this.stack.hostOf
  }

  get readRef(): RefReader {
    return this.stack.readRef
  }

  private checkPayload(payload: Uint8Array): void {
    const max = this.stack.config.payloadBytesMax
    if (payload.length > max) throw new InvalidValueError('payload', payload, `at most ${max} bytes`)
  }

  private checkWait(field: string, value: Millis | undefined): void {
    const max = this.stack.config.replyMsMax
    if (!Number.isInteger(value) || value! < 1 || value! > max)
      throw new InvalidValueError(field, value, `whole milliseconds from 1 to ${max}`)
  }
}

function checkNearestOf(count = 1): void {
  if (!Number.isInteger(count) || count < 1 || count > nearestOfMax) {
    throw new InvalidValueError('options.nearestOf', count, `a whole number from 1 to ${nearestOfMax}`)
  }
}

/** PAST's most replicas. */
const nearestOfMax = 64
