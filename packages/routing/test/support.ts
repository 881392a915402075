import type { Guid } from '@plaxton/guid'
import { compareOnRing } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type {
  Answer,
  AppEffects,
  Application,
  Avoid,
  Effects,
  ForwardDecision,
  KbrEvent,
  KeyRange,
  Message,
  MessageCodec,
  Millis,
  NextHop,
  NodeRef,
  Overlay,
  OverlayEffects,
  OverlayFactory,
  PeerDownCause,
  Question,
  Reply,
  ReplyHandle,
  RoutedMessage,
  Timer,
} from '@plaxton/kbr'
import type { RoutingConfig } from '../src/index.ts'
import { KbrNode } from '../src/index.ts'

/** A node with an 8-bit id. */
export function ref(id: string, epoch = 1): NodeRef {
  return { id: id as Guid, address: `mem:${id}`, epoch }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload)
}

/** Effects as values, in the order they were asked for. */
export type Effect =
  | { effect: 'send'; to: string; message: Message }
  | { effect: 'timer'; timer: Timer; delayMs: Millis }
  | { effect: 'event'; event: KbrEvent }
  | { effect: 'ask'; application: string; token: number; question: Question }

export class Recorder implements Effects {
  /** The time of the step, for whoever wants to know when a timer is due. */
  now: Millis = 0
  /** Timers that still run. */
  readonly running: Array<{ at: Millis; timer: Timer }> = []
  private log: Effect[] = []

  send(to: NodeRef, message: Message): void {
    this.log.push({ effect: 'send', to: to.id, message })
  }
  startTimer(timer: Timer, delayMs: Millis): void {
    this.log.push({ effect: 'timer', timer, delayMs })
    this.running.push({ at: this.now + delayMs, timer })
  }
  emit(event: KbrEvent): void {
    this.log.push({ effect: 'event', event })
  }
  ask(application: string, token: number, question: Question): void {
    this.log.push({ effect: 'ask', application, token, question })
  }

  /** The next timer due at `now` or before, which has then rung. */
  ring(now: Millis): Timer | undefined {
    this.running.sort((a, b) => a.at - b.at)
    return this.running[0] !== undefined && this.running[0].at <= now ? this.running.shift()!.timer : undefined
  }

  take(): Effect[] {
    const taken = this.log
    this.log = []
    return taken
  }

  /** The messages sent since the last look, as `[to, message]`; all other effects are forgotten. */
  sent(): Array<[string, Message]> {
    return this.take().flatMap((effect) => (effect.effect === 'send' ? [[effect.to, effect.message] as [string, Message]] : []))
  }
}

/**
 * The smallest overlay with the properties the walking relies on: a list of nodes known to be alive. The next hop is the known node
 * closest to the key that is not to be avoided. It repairs nothing by itself: a test says who is dead.
 */
export class RingOverlay implements Overlay {
  readonly name = 'ring'
  readonly self: NodeRef
  readonly codec: MessageCodec = ringCodec
  ready = false
  known: NodeRef[]
  readonly dead = new Set<Guid>()
  readonly measured = new Map<Guid, Millis>()
  onSuspect: (peer: NodeRef) => void = () => {}
  readonly calls: string[] = []
  ownStops = false

  constructor(self: NodeRef, known: readonly NodeRef[]) {
    this.self = self
    this.known = known.filter((node) => node.id !== self.id)
  }

  /** All known nodes and this one, closest to `key` first. */
  private ranked(key: Guid): NodeRef[] {
    return [this.self, ...this.known].sort((a, b) => compareOnRing(a.id, b.id, key))
  }

  nextHop(key: Guid, cursor: number, avoid: Avoid): NextHop {
    if (!this.ready) return { action: 'hold' }
    const ranked = this.ranked(key)
    const best = ranked.find((node) => !avoid.has(node.id))!
    if (best.id !== this.self.id) return { action: 'forward', to: best, cursor: cursor + 1 }
    return ranked[0] === best ? { action: 'deliver' } : { action: 'hold' }
  }

  measuredMs(peer: NodeRef): Millis | undefined {
    return this.measured.get(peer.id)
  }
  localLookup(key: Guid, num: number): NodeRef[] {
    return this.ranked(key).slice(0, num)
  }
  neighborSet(num: number): NodeRef[] {
    return this.ranked(this.self.id).slice(1, num + 1)
  }
  replicaSet(key: Guid, maxRank: number): NodeRef[] {
    return this.ranked(key).slice(0, maxRank)
  }
  range(): KeyRange | undefined {
    return undefined
  }

  join(_bootstrap: readonly NodeRef[], _now: Millis, fx: OverlayEffects): void {
    this.becomeReady(fx)
  }
  becomeReady(fx: OverlayEffects): void {
    this.ready = true
    fx.becameReady()
  }
  leave(): void {
    this.calls.push('leave')
  }
  onMessage(from: NodeRef, message: Message, _now: Millis, fx: OverlayEffects): void {
    const { type, peer } = message as { type: string; peer?: NodeRef }
    if (type === 'ring-dead' && peer !== undefined) {
      this.known = this.known.filter((node) => node.id !== peer.id)
      fx.peerFailed(peer)
    } else if (type === 'ring-alive' && peer !== undefined) fx.peerRecovered(peer)
    else if (type === 'ring-ready') this.becomeReady(fx)
    else if (type === 'ring-route' && peer !== undefined) fx.route(peer.id, bytes('own'))
    else if (type === 'ring-do') (message as unknown as { act: (fx: OverlayEffects) => void }).act(fx)
    else if (type === 'ring-neighbor' && peer !== undefined) {
      fx.neighborChanged(peer, true)
      fx.routesChanged()
      fx.routesChanged()
    } else this.calls.push(`message ${type} from ${from.id}`)
  }
  onTimer(kind: string): void {
    this.calls.push(`timer ${kind}`)
  }
  onPeerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.calls.push(`down ${peer.id} ${cause}`)
  }
  onContact(): void {}
  onRoundTrip(peer: NodeRef, rttMs: Millis): void {
    this.calls.push(`rtt ${peer.id} ${rttMs}`)
  }
  suspect(peer: NodeRef): void {
    this.onSuspect(peer)
    this.calls.push(`suspect ${peer.id}`)
  }
  forwardOwn(key: Guid, payload: Uint8Array, hops: number, nextHop: NodeRef | undefined): boolean {
    this.calls.push(`own ${key} ${text(payload)} ${hops} ${nextHop?.id ?? 'root'}`)
    return !this.ownStops
  }
  assertInvariants(): void {}

  takeCalls(): string[] {
    return this.calls.splice(0)
  }
}

/** JSON: the tests' overlay has no wire format to defend. */
const ringCodec: MessageCodec = {
  encode: (message) => bytes(JSON.stringify(message)),
  decode: (encoded) => JSON.parse(text(encoded)) as Message,
}

export function ringFactory(known: readonly NodeRef[]): OverlayFactory & { made: RingOverlay[] } {
  const made: RingOverlay[] = []
  return {
    name: 'ring',
    made,
    create(self) {
      const overlay = new RingOverlay(self, known)
      made.push(overlay)
      return overlay
    },
  }
}

/** An application that records what it is told and does what the test says. */
export class Probe implements Application {
  readonly name: string
  readonly log: string[] = []
  readonly replies: Array<{ id: number; reply: Reply }> = []
  decide: (message: RoutedMessage, nextHop: NodeRef | undefined, fx: AppEffects) => ForwardDecision = () => ({ action: 'continue' })
  onDeliver: (message: RoutedMessage, fx: AppEffects) => void = (message, fx) => {
    if (message.reply !== 0) fx.reply(message.reply, bytes(`re ${text(message.payload)}`))
  }
  answer: (from: NodeRef, payload: Uint8Array, reply: ReplyHandle, fx: AppEffects) => void = (_from, payload, reply, fx) => {
    if (reply !== 0) fx.reply(reply, bytes(`re ${text(payload)}`))
  }
  replied: (id: number, reply: Reply, fx: AppEffects) => void = () => {}
  leaving: (fx: AppEffects) => void = (fx) => fx.handedOver()

  constructor(name = 'probe') {
    this.name = name
  }

  onStart(): void {
    this.log.push('start')
  }
  deliver(message: RoutedMessage, _now: Millis, fx: AppEffects): void {
    this.log.push(`deliver ${message.key} ${text(message.payload)} hops=${message.hops} from=${message.previousHop.id}`)
    this.onDeliver(message, fx)
  }
  forward(message: RoutedMessage, nextHop: NodeRef | undefined, _now: Millis, fx: AppEffects): ForwardDecision {
    this.log.push(`forward ${message.key} ${text(message.payload)} hops=${message.hops} next=${nextHop?.id ?? 'none'}`)
    return this.decide(message, nextHop, fx)
  }
  update(node: NodeRef, joined: boolean): void {
    this.log.push(`update ${node.id} ${joined ? 'joined' : 'left'}`)
  }
  routesChanged(): void {
    this.log.push('routes changed')
  }
  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, _now: Millis, fx: AppEffects): void {
    this.log.push(`${reply === 0 ? 'tell' : 'request'} ${text(payload)} from=${from.id}`)
    this.answer(from, payload, reply, fx)
  }
  onReply(id: number, reply: Reply, _now: Millis, fx: AppEffects): void {
    this.replies.push({ id, reply })
    this.replied(id, reply, fx)
  }
  onTimer(kind: string, arg: number): void {
    this.log.push(`timer ${kind} ${arg}`)
  }
  onAnswer(token: number, answer: Answer): void {
    this.log.push(`answer ${token} ${answer.kind}`)
  }
  onLeave(_now: Millis, fx: AppEffects): void {
    this.log.push('leave')
    this.leaving(fx)
  }

  takeLog(): string[] {
    return this.log.splice(0)
  }
}

/** One node under test with everything around it. */
export interface Bed {
  readonly node: KbrNode
  readonly overlay: RingOverlay
  readonly app: Probe
  readonly fx: Recorder
  /** Runs a command of the application at `now`. */
  readonly run: <T>(now: Millis, command: (fx: AppEffects) => T) => T
  /** Rings every timer of the walking that is due at `now`; nothing happens when none was asked for. */
  readonly wake: (now: Millis) => void
  /** A message from `from` at `now`. */
  readonly receive: (from: string, message: Message & Record<string, unknown>, now: Millis) => void
}

export function bed(self: string, known: readonly string[], config: Partial<RoutingConfig> = {}, others: Probe[] = [], joined = true): Bed {
  const overlays = ringFactory(known.map((id) => ref(id)))
  const app = new Probe()
  const node = new KbrNode({ self: ref(self), overlay: overlays, applications: [app, ...others], prng: Prng.fromSeed('bed'), config })
  const fx = new Recorder()
  const overlay = overlays.made[0]!
  node.start(0, fx)
  if (joined) node.join([], 0, fx)
  fx.take()
  app.takeLog()
  return {
    node,
    overlay,
    app,
    fx,
    run: (now, command) => {
      fx.now = now
      return node.command(app, now, fx, command)
    },
    wake: (now) => {
      fx.now = now
      for (let timer = fx.ring(now); timer !== undefined; timer = fx.ring(now)) node.onTimer(timer, now, fx)
    },
    receive: (from, message, now) => {
      fx.now = now
      node.onMessage(ref(from), message, now, fx)
    },
  }
}

/** A `route` as it arrives; `changes` for what the test is about. */
export function routeMessage(changes: Record<string, unknown> = {}): Message & Record<string, unknown> {
  return {
    type: 'route',
    seq: 7,
    nonce: 4711,
    key: '85' as Guid,
    application: 'probe',
    payload: bytes('hello'),
    hops: 1,
    cursor: 0,
    replyWithinMs: 0,
    keepPath: false,
    path: [],
    ...changes,
  }
}

/** The events among `effects`. */
export function events(effects: readonly Effect[]): KbrEvent[] {
  return effects.flatMap((effect) => (effect.effect === 'event' ? [effect.event] : []))
}
