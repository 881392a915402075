import type { Guid } from '@plaxton/guid'
import { InvalidValueError, assert, unreachable } from '@plaxton/kbr'
import type {
  Answer,
  AppEffects,
  Application,
  Core,
  Effects,
  Message,
  MessageCodec,
  Millis,
  NodeRef,
  Overlay,
  OverlayFactory,
  PeerDownCause,
  Prng,
  RefReader,
  Timer,
} from '@plaxton/kbr'
import { wakeKind } from './alarm.ts'
import { AppStack } from './app-effects.ts'
import { Calls } from './calls.ts'
import { routingCodec } from './codec.ts'
import { routingConfig } from './config.ts'
import type { RoutingConfig } from './config.ts'
import { Endings } from './endings.ts'
import { Lookups } from './lookups.ts'
import type { LookupOptions } from './lookups.ts'
import { overlayName } from './messages.ts'
import type { RoutingMessage } from './messages.ts'
import { failed } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import { OverlayStack } from './overlay-effects.ts'
import { Passage } from './passage.ts'
import { RecursiveWalk } from './recursive.ts'
import { ReplyHandles } from './reply-handles.ts'
import type { OpenReply } from './reply-handles.ts'
import { Requests } from './requests.ts'
import { Stack } from './stack.ts'
import type { Host, RouteTask, Task } from './stack.ts'
import type { RoutingStats } from './stats.ts'

/** What {@link KbrNode} is made of. */
export interface KbrNodeInit {
  readonly self: NodeRef
  readonly overlay: OverlayFactory
  readonly applications: readonly Application[]
  /** The node draws from forks of its own. */
  readonly prng: Prng
  readonly config?: Partial<RoutingConfig>
  /** Judges references inside payloads, as the link does those in frames. Default: all are believed, which is for closed worlds. */
  readonly readRef?: RefReader
  /** Which host a node runs on; see `AppEffects.hostOf`. Default: each on one of its own. */
  readonly hostOf?: (node: NodeRef) => string
}

/**
 * A node of a key-based routing network: one overlay that says *who next?* and *who is responsible?*, the walking that takes messages
 * there, and the applications they are for. A core; see `Effects` in `@plaxton/kbr` for what a driver owes it.
 *
 * The order of its life: {@link start} once, {@link join} once, then inputs, then {@link leave} or silence.
 *
 * A message is handled in this order: the overlay hears that the sender lives; then it goes to the part it is for, which may ask the
 * overlay and the applications; then whatever these asked for while they were busy is done, one after the other.
 */
export class KbrNode implements Core {
  readonly self: NodeRef
  readonly overlay: Overlay
  private readonly stack: Stack
  private readonly handles: ReplyHandles
  private readonly calls: Calls
  private readonly endings: Endings
  private readonly walk: RecursiveWalk
  private readonly requests: Requests
  private readonly lookups: Lookups
  private phase: 'new' | 'member' | 'leaving' | 'retiring' | 'left' = 'new'
  /** Applications that have not handed over yet, while leaving. */
  private leavingHosts: Set<Host> | undefined = undefined
  private leaveAt: Millis = Infinity
  /** Made when it is first asked for: simulated nodes seldom are. */
  private framing: MessageCodec | undefined = undefined

  /** Throws `InvalidValueError` for a configuration or an application's name outside what is allowed. */
  constructor(init: KbrNodeInit) {
    const config = routingConfig(init.config)
    const hosts: Host[] = []
    this.self = init.self
    this.overlay = init.overlay.create(init.self, init.prng.fork())
    this.stack = new Stack(
      init.self,
      config,
      this.overlay,
      hosts,
      { readRef: init.readRef ?? believe, hostOf: init.hostOf },
      init.prng.fork(),
    )
    this.stack.overlayFx = new OverlayStack(this.stack)
    this.handles = new ReplyHandles(config)
    for (const application of init.applications) {
      requireName(application.name, hosts)
      hosts.push(new AppStack(application, this.stack, this.handles))
    }
    this.calls = new Calls(this.stack)
    this.endings = new Endings(this.stack, this.calls, this.handles)
    this.walk = new RecursiveWalk(this.stack, this.handles, this.endings)
    this.requests = new Requests(this.stack, this.handles)
    this.lookups = new Lookups(this.stack)
  }

  /** Frames of this node's network: the walking's own messages and the overlay's. */
  get codec(): MessageCodec {
    return (this.framing ??= routingCodec(this.overlay.codec, this.self.id.length / 2))
  }

  /** True once this node is a member and answers for keys. */
  get ready(): boolean {
    return this.overlay.ready && this.phase !== 'left'
  }

  // Commands

  /** Before all else: the applications' `onStart`. */
  start(now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      for (const host of this.stack.hosts) host.application.onStart(now, host.fx)
    })
  }

  /**
   * Becomes a member through one of `bootstrap`; a network of its own when it is empty. Ends in the event `ready` or `join-failed`. A node
   * that is leaving does nothing.
   */
  join(bootstrap: readonly NodeRef[], now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      if (this.isGoing) return
      this.phase = 'member'
      this.overlay.join(bootstrap, now, this.stack.overlayFx!)
    })
  }

  /**
   * The applications hand over; the overlay, where it can, stays routable until nobody counts on this node any more and what was on its way has been passed
   * on; all of it for at most `leaveMs`. Then the overlay takes its leave, and the event `left` is the last.
   */
  leave(now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      if (this.isGoing) return
      this.phase = 'leaving'
      this.leavingHosts = new Set(this.stack.hosts)
      this.leaveAt = now + this.stack.config.leaveMs
      this.stack.wakeAt(this.leaveAt)
      for (const host of this.stack.hosts) host.application.onLeave(now, host.fx)
      if (this.leavingHosts.size === 0) this.retire()
    })
  }

  /** A step on behalf of a command of `application`, which is one of this node's; returns what `run` returns. */
  command<T>(application: Application, now: Millis, fx: Effects, run: (fx: AppEffects) => T): T {
    const host = this.stack.host(application.name)
    assert(host?.application === application, `"${application.name}" is no application of this node`)
    return this.step(now, fx, () => run(host.fx))
  }

  /**
   * Looks for the root of `key` iteratively: this node asks the others itself and hands nobody the message. Ends in the one event
   * `routing:looked-up` with the returned number. Throws `InvalidValueError` for a value outside what is allowed.
   */
  lookup(key: Guid, options: LookupOptions, now: Millis, fx: Effects): number {
    return this.step(now, fx, () => this.lookups.start(key, options))
  }

  // Inputs

  onMessage(from: NodeRef, message: Message, now: Millis, fx: Effects): void {
    this.stack.enter(now, fx)
    try {
      if (from.id === this.self.id) this.stack.drop(from, 'a message from the own id')
      else if (this.phase === 'left') this.answerAfterLeaving(from, message as RoutingMessage)
      else {
        this.overlay.onContact(from, now, this.stack.overlayFx!)
        this.dispatch(from, message as RoutingMessage)
      }
      this.drain()
      if (this.phase === 'retiring') this.departWhenIdle()
    } finally {
      this.stack.exit()
    }
  }

  onTimer(timer: Timer, now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      if (timer.owner === 'routing') {
        if (timer.kind === wakeKind) this.wake(timer.arg)
      } else if (timer.owner === overlayName) {
        if (this.phase !== 'left') this.overlay.onTimer(timer.kind, timer.arg, now, this.stack.overlayFx!)
      } else {
        const host = this.stack.host(timer.owner)
        host?.application.onTimer(timer.kind, timer.arg, now, host.fx)
      }
    })
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      if (this.phase === 'left') return
      this.overlay.onPeerDown(peer, cause, now, this.stack.overlayFx!)
      if (cause === 'unreachable') this.requests.onUnreachable(peer)
      else this.requests.onDisconnected(peer)
      this.lookups.onPeerGone(peer)
      this.walk.onPeerGone(peer)
    })
  }

  onAnswer(application: string, token: number, answer: Answer, now: Millis, fx: Effects): void {
    this.step(now, fx, () => {
      const host = this.stack.host(application)
      host?.application.onAnswer(token, answer, now, host.fx)
    })
  }

  // Observation

  stats(): RoutingStats {
    return {
      ...this.stack.counters,
      ...this.walk.sizes,
      ...this.requests.sizes,
      endings: this.endings.size,
      calls: this.calls.size,
      lookups: this.lookups.size,
      openReplies: this.handles.size,
      roundTrips: this.stack.roundTrips.size,
    }
  }

  /** Throws when the state of this node or its overlay contradicts itself. For tests and the simulator, between steps. */
  assertInvariants(): void {
    this.overlay.assertInvariants()
    this.walk.assertInvariants()
  }

  // The step

  private dispatch(from: NodeRef, message: RoutingMessage): void {
    switch (message.type) {
      case 'route':
        return this.phase === 'new' ? this.walk.reject(from, message, 'not ready') : this.walk.onRoute(from, message)
      case 'ack':
        if (!this.walk.onAck(from, message) && !this.requests.onAck(from, message)) this.stack.counters.late++
        return
      case 'nack':
        return this.walk.onNack(from, message)
      case 'reply':
        return this.walk.onReply(from, message)
      case 'refusal':
        return this.walk.onRefusal(from, message)
      case 'request':
        return this.requests.onRequest(from, message)
      case 'response':
        return this.requests.onResponse(from, message)
      case 'request-refused':
        return this.requests.onRefused(from, message)
      case 'tell':
        return this.requests.onTell(from, message)
      case 'find':
        return this.lookups.onFind(from, message)
      case 'found':
        return this.lookups.onFound(from, message)
      default:
        return this.overlay.onMessage(from, message, this.stack.now, this.stack.overlayFx!)
    }
  }

  /** A node that has left says so to whoever still counts on it. */
  private answerAfterLeaving(from: NodeRef, message: RoutingMessage): void {
    if (message.type === 'route') this.walk.reject(from, message, 'left')
    if (message.type === 'request') this.requests.rejectAsLeft(from, message)
  }

  private drain(): void {
    for (let task = this.stack.takeTask(); task !== undefined; task = this.stack.takeTask()) this.perform(task)
  }

  private perform(task: Task): void {
    const { stack } = this
    switch (task.type) {
      case 'route':
        return this.setOut(task.id === 0 ? this.fireAndForget(task) : this.calls.start(task))
      case 'retry':
        return this.setOut(this.calls.retry(task.id))
      case 'route-own':
        return this.setOut(this.oneWay(overlayName, task.key, task.payload, false, task.cursor))
      case 'request':
        return this.requests.ask(task.host, task.id, task.to, task.payload, task.withinMs)
      case 'tell-self':
        return task.host.application.onRequest(this.self, task.payload, 0, stack.now, task.host.fx)
      case 'answer':
        return this.answer(task.handle, task.outcome)
      case 'acknowledge':
        return this.requests.acknowledgeUnlessAnswered(task.to, task.seq, task.handle)
      case 'handed-over':
        this.leavingHosts?.delete(task.host)
        if (this.leavingHosts?.size === 0) this.retire()
        return
      case 'became-ready':
        return this.walk.releaseHeld(undefined)
      case 'neighbor-changed':
        stack.emit({ type: 'neighbor', node: task.node, joined: task.joined })
        for (const host of stack.hosts) host.application.update(task.node, task.joined, stack.now, host.fx)
        return
      case 'ranks-changed':
        for (const host of stack.hosts) host.application.ranksChanged?.(stack.now, host.fx)
        return
      case 'routes-changed':
        for (const host of stack.hosts) host.application.routesChanged?.(stack.now, host.fx)
        return
      case 'peer-failed':
        stack.roundTrips.forget(task.peer.id)
        this.requests.onUnreachable(task.peer)
        this.lookups.onPeerGone(task.peer)
        this.walk.onPeerGone(task.peer)
        return this.walk.releaseHeld(undefined)
      case 'peer-recovered':
        return this.walk.releaseHeld(task.peer)
      default:
        return unreachable(task)
    }
  }

  private get isGoing(): boolean {
    return this.phase === 'leaving' || this.phase === 'retiring' || this.phase === 'left'
  }

  private setOut(passage: Passage | undefined): void {
    if (passage !== undefined) this.walk.begin(passage)
  }

  private fireAndForget({ host, key, payload, options }: RouteTask): Passage {
    const passage = this.oneWay(host.application.name, key, payload, options.keepPath === true, this.stack.firstCursor(options))
    passage.leaveBy(options, [])
    return passage
  }

  /** A message that wants no reply. */
  private oneWay(application: string, key: Guid, payload: Uint8Array, keepPath: boolean, cursor: number): Passage {
    const { self, now, config } = this.stack
    const nonce = this.stack.nextNonce()
    const message = {
      type: 'route',
      seq: 0,
      nonce,
      key,
      application,
      payload,
      hops: 0,
      cursor,
      replyWithinMs: 0,
      keepPath,
      path: [],
    } as const
    return new Passage(message, self, now, config)
  }

  /** An application answers, or says that no answer will come. */
  private answer(handle: number, outcome: Outcome): void {
    const open = this.handles.take(handle)
    if (open !== undefined) this.respond(open, outcome)
    else if (handle !== 0) this.stack.counters.late++
  }

  private respond(open: OpenReply, outcome: Outcome): void {
    if (open.question.type === 'route') this.endings.respond(open, open.question.nonce, open.question.trail, outcome)
    else this.requests.respond(open, outcome)
  }

  private wake(depth: number): void {
    const { stack } = this
    stack.woken(depth)
    if (this.leaveAt <= stack.now && this.phase !== 'left') this.depart()
    const next = Math.min(
      this.walk.wake(),
      this.endings.sweep(),
      this.calls.wake(),
      this.requests.wake(),
      this.lookups.wake(),
      this.handles.sweep(stack.now, (expired) => this.requests.forget(expired)),
      this.phase === 'left' ? Infinity : this.leaveAt,
    )
    assert(next > stack.now, 'something that is due is left undone')
    if (next !== Infinity) stack.wakeAt(next)
  }

  /** The applications have handed over. */
  private retire(): void {
    if (this.phase !== 'leaving') return
    this.leavingHosts = undefined
    const { overlay, stack } = this
    if (overlay.retire === undefined) return this.depart()
    this.phase = 'retiring'
    overlay.retire(stack.now, stack.overlayFx!)
  }

  /** Nobody counts on this node, and nobody's message depends on it. */
  private departWhenIdle(): void {
    const { inFlight, holding } = this.walk.sizes
    if (this.overlay.retired !== true || inFlight > 0 || holding > 0) return
    this.depart()
    this.drain()
  }

  private depart(): void {
    const { stack } = this
    this.overlay.leave(stack.now, stack.overlayFx!)
    this.phase = 'left'
    stack.left = true
    this.leavingHosts = undefined
    for (const open of this.handles.takeAll()) this.respond(open, failed('left', 'the node has left the overlay', this.self))
    this.walk.end()
    this.requests.end()
    this.lookups.end()
    this.calls.end()
    stack.emit({ type: 'left' })
  }

  private step<T>(now: Millis, fx: Effects, run: () => T): T {
    this.stack.enter(now, fx)
    try {
      const result = run()
      this.drain()
      if (this.phase === 'retiring') this.departWhenIdle()
      return result
    } finally {
      this.stack.exit()
    }
  }
}

const believe: RefReader = (id, address, epoch) => ({ id, address, epoch })

function requireName(name: string, taken: readonly Host[]): void {
  if (!/^[a-z0-9-]{1,32}$/.test(name)) throw new InvalidValueError('application.name', name, '1 to 32 characters of a-z, 0-9 and -')
  if (name === overlayName || name === 'routing' || taken.some((host) => host.name === name)) {
    throw new InvalidValueError('application.name', name, 'a name that nothing else on this node has')
  }
}
