import type { Guid } from '@plaxton/guid'
import { shortGuid } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import type { Millis, NodeRef, RouteFailure } from '@plaxton/kbr'
import { ClosestLookup } from './closest-lookup.ts'
import { IterativeLookup } from './iterative.ts'
import type { IterativeSearch } from './iterative.ts'
import { maxFound } from './messages.ts'
import type { FindMessage, FoundMessage } from './messages.ts'
import { nobody } from './passage.ts'
import type { Stack } from './stack.ts'

/** What a lookup may be told. */
export interface LookupOptions {
  /** Nodes asked at the same time, 1 to 16. Default 3, as Kademlia's alpha. */
  readonly alpha?: number
  /** Nodes of the replica set that must have answered, 1 to 32. Default 1: the root. */
  readonly width?: number
  /**
   * Disjoint paths, 1 to 16: no node is asked on two of them, so one that lies spoils one path (S/Kademlia's d, who recommend 4 to 8). Default 1; more only with an overlay that has a
   * metric (`Overlay.metric`).
   */
  readonly paths?: number
  /** Gives up after this time, 1 ms to 1 h. Default 10 s. */
  readonly withinMs?: Millis
}

/** The one event in which each lookup ends. */
export interface LookedUpEvent {
  readonly type: 'routing:looked-up'
  /** What `lookup` returned. */
  readonly lookup: number
  readonly key: Guid
  readonly outcome:
    | {
        readonly ok: true
        readonly root: NodeRef
        /** Those of the root's replica set that answered, the best first. */
        readonly nodes: readonly NodeRef[]
      }
    | { readonly ok: false; readonly failure: RouteFailure }
  /** Nodes asked, this one included. */
  readonly asked: number
  readonly elapsedMs: Millis
}

/** The iterative lookups of one node, and its answers to those of others. */
export class Lookups {
  private readonly stack: Stack
  /** Bound: `lookupsMax`; full: the next fails with `overloaded`. */
  private running: Map<number, Running> | undefined = undefined
  /** By number. Bound: `alpha` for each lookup. */
  private queries: Map<number, Query> | undefined = undefined
  private dueAt: Millis = Infinity

  constructor(stack: Stack) {
    this.stack = stack
  }

  get size(): number {
    return this.running === undefined ? 0 : this.running.size
  }

  /** Looks for the root of `key`; ends in exactly one {@link LookedUpEvent}. */
  start(key: Guid, { alpha = 3, width = 1, paths = 1, withinMs = 10_000 }: LookupOptions): number {
    const { stack } = this
    const { metric } = stack.overlay
    requireKey(key, stack.self.id)
    requireWithin('alpha', alpha, 16)
    requireWithin('width', width, maxFound)
    requireWithin('paths', paths, metric === undefined ? 1 : 16)
    requireWithin('withinMs', withinMs, 3_600_000)
    const id = stack.nextId()
    const num = Math.max(width, alpha, metric?.width ?? 1)
    const lookup = this.search(key, { alpha, width, paths })
    const running: Running = { id, key, num, lookup, startedAt: stack.now, deadlineAt: stack.now + withinMs }
    if (this.size >= stack.config.lookupsMax) {
      stack.counters.overloaded++
      this.tell(running, { reason: 'overloaded', detail: `${stack.config.lookupsMax} lookups are running already`, at: stack.self })
      return id
    }
    this.running ??= new Map()
    this.running.set(id, running)
    this.comeBackAt(running.deadlineAt)
    this.advance(running)
    return id
  }

  /** Another node asks whom this one would ask. */
  onFind(from: NodeRef, message: FindMessage): void {
    if (message.key.length !== this.stack.self.id.length) return this.stack.drop(from, 'malformed find')
    const { root, nodes } = this.known(message.key, Math.min(Math.max(message.num, 1), maxFound))
    const found: FoundMessage = { type: 'found', seq: message.seq, root, nodes }
    this.stack.send(from, found)
  }

  onFound(from: NodeRef, message: FoundMessage): void {
    const { stack } = this
    const query = this.queries?.get(message.seq)
    if (query === undefined) {
      stack.counters.late++
      return
    }
    if (query.peer.id !== from.id) return stack.drop(from, 'answer from a peer that was not asked')
    this.queries!.delete(message.seq)
    stack.acknowledged(from, query.sentAt, 0)
    const sane = message.nodes.filter((node) => node.id.length === stack.self.id.length).slice(0, maxFound)
    query.running.lookup.onFound(from, message.root, sane)
    this.advance(query.running)
  }

  /** `peer` is dead or its link broke: it will not answer. */
  onPeerGone(peer: NodeRef): void {
    for (const [seq, query] of [...(this.queries ?? [])]) if (query.peer.id === peer.id) this.unanswered(seq, query)
  }

  /** Does what is due. Returns when to come again. */
  wake(): Millis {
    const { now } = this.stack
    if (this.dueAt > now) return this.dueAt
    for (const running of [...(this.running?.values() ?? [])]) if (running.deadlineAt <= now) this.timeOut(running)
    for (const [seq, query] of [...(this.queries ?? [])]) if (query.dueAt <= now) this.onTimeout(seq, query)
    this.dueAt = Infinity
    for (const { deadlineAt } of this.running?.values() ?? []) this.dueAt = Math.min(this.dueAt, deadlineAt)
    for (const { dueAt } of this.queries?.values() ?? []) this.dueAt = Math.min(this.dueAt, dueAt)
    return this.dueAt
  }

  /** This node has left. */
  end(): void {
    for (const running of [...(this.running?.values() ?? [])]) {
      this.finish(running, { reason: 'left', detail: 'this node has left the overlay', at: this.stack.self })
    }
  }

  private search(key: Guid, { alpha, width, paths }: { alpha: number; width: number; paths: number }): IterativeSearch {
    const { overlay, self } = this.stack
    if (overlay.metric !== undefined) return new ClosestLookup(self, overlay.ready, overlay.metric, key, { alpha, width, paths })
    const { root, nodes } = this.known(key, Math.max(width, alpha))
    return new IterativeLookup(self, root, nodes, alpha, width)
  }

  /** The local answer: the replica set of a key that is ours, otherwise whom to ask, best first and without this node. */
  private known(key: Guid, num: number): { root: boolean; nodes: NodeRef[] } {
    const { overlay, self } = this.stack
    if (!overlay.ready) return { root: false, nodes: overlay.localLookup(key, num, false).filter((node) => node.id !== self.id) }
    const root = overlay.nextHop(key, 0, nobody).action === 'deliver'
    if (overlay.metric !== undefined) return { root, nodes: overlay.metric.closest(key, num) }
    if (root) return { root, nodes: overlay.replicaSet(key, num) }
    return { root: false, nodes: overlay.localLookup(key, num, false).filter((node) => node.id !== self.id) }
  }

  private advance(running: Running): void {
    if (!this.running!.has(running.id)) return
    for (let peer = running.lookup.next(); peer !== undefined; peer = running.lookup.next()) this.ask(running, peer, 1)
    if (running.lookup.done) this.finish(running, undefined)
  }

  private ask(running: Running, peer: NodeRef, tries: number): void {
    const { stack } = this
    const seq = stack.nextSeq()
    const query = { running, peer, tries, sentAt: stack.now, dueAt: stack.now + stack.waitMs(peer, 0) }
    this.queries ??= new Map()
    this.queries.set(seq, query)
    const find: FindMessage = { type: 'find', seq, key: running.key, num: running.num }
    stack.send(peer, find)
    this.comeBackAt(query.dueAt)
  }

  private onTimeout(seq: number, query: Query): void {
    this.stack.timedOut(query.peer, query.sentAt)
    if (query.tries >= (this.stack.overlay.metric === undefined ? triesMax : fewTries)) return this.unanswered(seq, query)
    this.queries!.delete(seq)
    this.ask(query.running, query.peer, query.tries + 1)
  }

  private unanswered(seq: number, { running, peer }: Query): void {
    if (!this.queries!.delete(seq)) return
    running.lookup.onFailure(peer)
    this.advance(running)
  }

  private timeOut(running: Running): void {
    const waitedMs = running.deadlineAt - running.startedAt
    this.finish(running, {
      reason: 'timed out',
      detail: `no root found within ${waitedMs} ms, ${running.lookup.asked} nodes asked`,
      at: this.stack.self,
    })
  }

  /** Without `failure`, the lookup says itself how it went. */
  private finish(running: Running, failure: RouteFailure | undefined): void {
    if (!this.running!.delete(running.id)) return
    for (const [seq, query] of [...(this.queries ?? [])]) if (query.running === running) this.queries!.delete(seq)
    this.tell(running, failure)
  }

  private tell({ id, key, lookup, startedAt }: Running, failure: RouteFailure | undefined): void {
    const { stack } = this
    const detail = `${lookup.asked} nodes asked, none takes itself for the root of ${shortGuid(key)}`
    const result = failure === undefined ? lookup.result : undefined
    const outcome: LookedUpEvent['outcome'] =
      result === undefined ? { ok: false, failure: failure ?? { reason: 'no route', detail, at: stack.self } } : { ok: true, ...result }
    const event: LookedUpEvent = {
      type: 'routing:looked-up',
      lookup: id,
      key,
      outcome,
      asked: lookup.asked,
      elapsedMs: stack.now - startedAt,
    }
    stack.emit(event)
  }

  private comeBackAt(at: Millis): void {
    this.dueAt = Math.min(this.dueAt, at)
    this.stack.wakeAt(at)
  }
}

interface Running {
  readonly id: number
  readonly key: Guid
  /** Names asked for. */
  readonly num: number
  readonly lookup: IterativeSearch
  readonly startedAt: Millis
  readonly deadlineAt: Millis
}

interface Query {
  readonly running: Running
  readonly peer: NodeRef
  readonly tries: number
  readonly sentAt: Millis
  readonly dueAt: Millis
}

/** How often a node is asked before it counts as failed: the probes of MSPastry (DSN 2004) are repeated twice, too. */
const triesMax = 3
/** With many names to choose from. Kademlia's paper asks once; but a root whose answer got lost would be passed by. Our guess. */
const fewTries = 2

function requireKey(key: Guid, self: Guid): void {
  if (key.length !== self.length) throw new InvalidValueError('key', key, `${4 * self.length} bits wide`)
}

function requireWithin(field: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) throw new InvalidValueError(field, value, `a whole number from 1 to ${max}`)
}
