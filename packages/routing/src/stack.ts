import type { Guid } from '@plaxton/guid'
import { assert, Prng } from '@plaxton/kbr'
import type {
  AppEffects,
  Application,
  Effects,
  KbrEvent,
  Message,
  Millis,
  NodeRef,
  Overlay,
  OverlayEffects,
  RefReader,
  RouteOptions,
} from '@plaxton/kbr'
import { Alarm } from './alarm.ts'
import type { RoutingConfig } from './config.ts'
import { RoundTrips } from './round-trip.ts'
import { newCounters } from './stats.ts'
import type { Counters } from './stats.ts'
import type { Outcome } from './outcome.ts'

/** One application with the effects it is given. */
export interface Host {
  /** The application's. */
  readonly name: string
  readonly application: Application
  readonly fx: AppEffects
}

/**
 * What an overlay or an application asked for in the middle of a step and what may call one of them in turn. It waits until the call
 * it was asked in has returned, so that no core is entered while it is busy.
 */
export type Task =
  | RouteTask
  | { readonly type: 'retry'; readonly id: number }
  | { readonly type: 'route-own'; readonly key: Guid; readonly payload: Uint8Array; readonly cursor: number }
  | {
      readonly type: 'request'
      readonly host: Host
      readonly id: number
      readonly to: NodeRef
      readonly payload: Uint8Array
      readonly withinMs: Millis
    }
  | { readonly type: 'tell-self'; readonly host: Host; readonly payload: Uint8Array }
  | { readonly type: 'answer'; readonly handle: number; readonly outcome: Outcome }
  | { readonly type: 'acknowledge'; readonly to: NodeRef; readonly seq: number; readonly handle: number }
  | { readonly type: 'handed-over'; readonly host: Host }
  | { readonly type: 'became-ready' }
  | { readonly type: 'neighbor-changed'; readonly node: NodeRef; readonly joined: boolean }
  | { readonly type: 'routes-changed' }
  | { readonly type: 'ranks-changed' }
  | { readonly type: 'peer-failed'; readonly peer: NodeRef }
  | { readonly type: 'peer-recovered'; readonly peer: NodeRef }

export interface RouteTask {
  readonly type: 'route'
  readonly host: Host
  /** 0: no reply is wanted. */
  readonly id: number
  readonly key: Guid
  readonly payload: Uint8Array
  readonly options: RouteOptions
}

/** What the parts of one node share: who they are, the step in progress, and the work it has still to do. */
export class Stack {
  readonly self: NodeRef
  readonly config: RoutingConfig
  readonly overlay: Overlay
  /** The applications; at most a few. */
  readonly hosts: readonly Host[]
  readonly readRef: RefReader
  readonly hostOf: ((node: NodeRef) => string) | undefined
  readonly roundTrips: RoundTrips
  readonly counters: Counters = newCounters()
  overlayFx: OverlayEffects | undefined = undefined
  /** True once this node has left: it answers for nothing any more. */
  left = false
  /** The time of the current step. */
  now: Millis = 0
  private readonly alarm = new Alarm()
  private readonly prng: Prng
  /** The sink of the current step; undefined between steps. */
  private outside: Effects | undefined = undefined
  /** Bound: {@link stepTasksMax} a step, asserted; undefined between steps. */
  private tasks: Task[] | undefined = undefined
  private taken = 0
  private routesChanged = false
  private ranksChanged = false
  private lastSeq: number
  private lastId = 0

  constructor(
    self: NodeRef,
    config: RoutingConfig,
    overlay: Overlay,
    hosts: readonly Host[],
    judges: { readonly readRef: RefReader; readonly hostOf: ((node: NodeRef) => string) | undefined },
    prng: Prng,
  ) {
    this.self = self
    this.config = config
    this.overlay = overlay
    this.hosts = hosts
    this.readRef = judges.readRef
    this.hostOf = judges.hostOf
    this.roundTrips = new RoundTrips(config)
    // The incarnation takes part, so that a restarted node whose driver gives it the same seed again repeats no nonce and no number:
    // its peers would take what it says for repeats.
    this.prng = Prng.fromSeed(`${prng.nextUint32()} ${self.id} ${self.epoch}`)
    this.lastSeq = this.prng.nextInt(2 ** 30)
  }

  /** Opens a step. Steps do not nest: a driver that lets them breaks rule 1 or 2 of `Effects`. */
  enter(now: Millis, fx: Effects): void {
    assert(this.outside === undefined, 'an input arrived while a step was running')
    this.now = now
    this.outside = fx
  }

  /** Closes the step, also when a core threw. */
  exit(): void {
    this.outside = undefined
    this.forgetTasks()
    this.routesChanged = false
    this.ranksChanged = false
  }

  /** The application of that name; undefined when this node has none. */
  host(name: string): Host | undefined {
    for (const host of this.hosts) if (host.name === name) return host
    return undefined
  }

  get fx(): Effects {
    assert(this.outside !== undefined, 'effects are valid only during the call they were given to')
    return this.outside
  }

  /** The next task of this step, in the order in which they were added; undefined when all have been taken. */
  takeTask(): Task | undefined {
    if (this.tasks !== undefined && this.taken < this.tasks.length) {
      assert(this.taken < stepTasksMax, 'one step causes tasks without end: an application or the overlay answers itself for ever')
      return this.tasks[this.taken++]
    }
    this.forgetTasks()
    return undefined
  }

  later(task: Task): void {
    assert(this.outside !== undefined, 'effects are valid only during the call they were given to')
    if (this.tasks === undefined) this.tasks = [task]
    else this.tasks.push(task)
  }

  /** The applications hear of it once, whatever else changes in this step. */
  onRoutesChanged(): void {
    if (this.routesChanged) return
    this.routesChanged = true
    this.later({ type: 'routes-changed' })
  }

  /** The same, of who is responsible for what. */
  onRanksChanged(): void {
    if (this.ranksChanged) return
    this.ranksChanged = true
    this.later({ type: 'ranks-changed' })
  }

  send(to: NodeRef, message: Message): void {
    this.fx.send(to, message)
  }

  emit(event: KbrEvent): void {
    this.fx.emit(event)
  }

  /** Sees to it that every part is asked for its deadlines at `at` or before. */
  wakeAt(at: Millis): void {
    this.alarm.set(at, this.now, this.fx)
  }

  woken(depth: number): void {
    this.alarm.rang(depth)
  }

  /** `peer` has not acknowledged in time what was sent to it at `sentAt`. */
  timedOut(peer: NodeRef, sentAt: Millis): void {
    this.counters.timeouts++
    this.roundTrips.timedOut(peer.id, sentAt, this.now)
    this.suspect(peer)
  }

  /** Asks the overlay to look whether `peer` lives. */
  suspect(peer: NodeRef): void {
    this.overlay.suspect(peer, this.now, this.overlayFx!)
  }

  /** The cursor with which a message sets out: another node than the root may do. */
  firstCursor({ nearestOf }: RouteOptions): number {
    return nearestOf === undefined ? 0 : (this.overlay.nearestOf?.(nearestOf) ?? 0)
  }

  /** How long `peer` may take to acknowledge a message with so many bytes of payload. */
  waitMs(peer: NodeRef, payloadBytes: number): Millis {
    return this.roundTrips.timeoutMs(peer.id) + (payloadBytes >> 10)
  }

  /** `peer` acknowledged what was sent to it at `sentAt`: a round trip, unless the message was so long that the link's width counts too. */
  acknowledged(peer: NodeRef, sentAt: Millis, payloadBytes: number): void {
    if (payloadBytes > shortBytes) return this.roundTrips.answered(peer.id)
    const rttMs = this.now - sentAt
    this.roundTrips.measured(peer.id, rttMs)
    this.overlay.onRoundTrip(peer, rttMs, this.now, this.overlayFx!)
  }

  /** Drops what a stranger sent. */
  drop(from: NodeRef, reason: string): void {
    this.counters.dropped++
    this.emit({ type: 'dropped', from, reason })
  }

  private forgetTasks(): void {
    this.tasks = undefined
    this.taken = 0
  }

  /** A number for a transmission; the first is random, the rest follow. */
  nextSeq(): number {
    return ++this.lastSeq
  }

  /** A number for a route or request of an application. */
  nextId(): number {
    return ++this.lastId
  }

  /** 1 to 2^53 - 1. */
  nextNonce(): number {
    return 1 + Math.floor(this.prng.nextFloat() * (Number.MAX_SAFE_INTEGER - 1))
  }
}

/** Payloads up to this take no time of their own on any link we mean: 4 ms at 8 Mbit/s, which {@link Stack.waitMs} assumes. Our guess. */
export const shortBytes = 4_096

/** More than any honest step: an application that hands over everything it has when it leaves. Our guess. */
const stepTasksMax = 100_000
