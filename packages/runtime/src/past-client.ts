import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, KbrEvent, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import { DeadlineError, InvalidValueError, NotReadyError, PlaxtonError } from '@plaxton/kbr'
import type { PastEvent, PastNode } from '@plaxton/past'
import { namedGuid } from '@plaxton/past'
import type { Command } from './call.ts'
import { Call } from './call.ts'
import type { NodeHost } from './host.ts'
import { TimerQueue } from './timer-queue.ts'

/** Commands a client runs at once. More at a time would only wait in the node and its link, and hold their data there. Our choice. */
const mostRunning = 128

/** Calls that wait for their turn. When full, further ones reject with `ERR_OVERLOADED`: the caller is far ahead of the network. */
const mostWaiting = 10_000

/** Whose object it is. */
export interface SignerOptions {
  /** Another of this node's keys, by name (`ApplicationPorts.signer`). Default: the node's own. */
  readonly signer?: string
}

/**
 * PAST with promises: the calls of `Dht` on the `PastNode` of one host. Every call may take `PastConfig.commandMs` (10 s by default)
 * unless it says otherwise, its wait for a turn included.
 *
 * At most 128 commands run at once and 10,000 calls wait for their turn, so a caller who awaits nothing is slowed down and then refused,
 * not drowned. An aborted call rejects at once, but what it has sent is not taken back: an aborted `put` may have stored the object.
 */
export class PastClient implements Dht {
  /** The key that signs this client's objects: Ed25519, 32 raw bytes. */
  readonly publicKey: Uint8Array
  private readonly host: NodeHost
  private readonly past: PastNode
  private readonly running = new Map<number, Call>()
  private readonly waiting = new Set<Call>()
  private readonly patience: TimerQueue<Call>

  /** `past` is the application that `host` was told to `use`. */
  constructor(host: NodeHost, past: PastNode) {
    this.host = host
    this.past = past
    this.publicKey = host.publicKey(past)
    this.patience = new TimerQueue(host.clock, (call) => this.giveUp(call))
    host.observe((event) => this.onEvent(event))
  }

  /** The guid of the object that this client's owner stores under `name` and `salt`. */
  nameGuid(name: string, salt?: Uint8Array): Guid {
    return namedGuid(name, this.publicKey, salt)
  }

  put(guid: Guid, data: Uint8Array, options: PutOptions & SignerOptions = {}): Promise<PutReceipt> {
    const { replicas, quorum, expires, name, salt, signer } = options
    return this.call(options, (timeoutMs, now, fx) =>
      this.past.put({ guid, data, replicas, quorum, expires, name, salt, signer, timeoutMs }, now, fx),
    )
  }

  get(guid: Guid, options: CallOptions = {}): Promise<Uint8Array> {
    return this.call(options, (timeoutMs, now, fx) => this.past.get({ guid, timeoutMs }, now, fx))
  }

  remove(guid: Guid, options: CallOptions & SignerOptions = {}): Promise<RemoveReceipt> {
    const { signer } = options
    return this.call(options, (timeoutMs, now, fx) => this.past.remove({ guid, signer, timeoutMs }, now, fx))
  }

  has(guid: Guid, options: CallOptions = {}): Promise<boolean> {
    return this.call(options, (timeoutMs, now, fx) => this.past.has({ guid, timeoutMs }, now, fx))
  }

  inspect(guid: Guid, options: CallOptions = {}): Promise<Inspection> {
    return this.call(options, (timeoutMs, now, fx) => this.past.inspect({ guid, timeoutMs }, now, fx))
  }

  ensure(guid: Guid, replicas?: number, options: CallOptions = {}): Promise<Inspection> {
    return this.call(options, (timeoutMs, now, fx) => this.past.ensure({ guid, replicas, timeoutMs }, now, fx))
  }

  /** `T` is what the command's outcome holds. */
  private async call<T>(options: CallOptions, command: Command): Promise<T> {
    const { timeoutMs = this.past.config.commandMs } = options
    if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) throw new InvalidValueError('timeoutMs', timeoutMs, 'a whole number, 1 or more')
    if (this.waiting.size >= mostWaiting) {
      throw new PlaxtonError('OverloadedError', 'ERR_OVERLOADED', `${mostWaiting} calls wait already; await some before making more`)
    }
    const call = new Call(command, this.host.clock.now() + timeoutMs, options)
    this.waiting.add(call)
    this.startWaiting()
    if (this.waiting.has(call)) this.patience.push(call, timeoutMs)
    return (await call.outcome) as T
  }

  /** A call given up while its command runs keeps its place until the command ends: the node is still busy with it. */
  private startWaiting(): void {
    for (const call of this.waiting) {
      if (call.isOver) this.waiting.delete(call)
      else if (this.running.size < mostRunning) this.start(call)
      else return
    }
  }

  private start(call: Call): void {
    this.waiting.delete(call)
    try {
      const id = this.host.command(this.past, (now, fx) => call.command(Math.max(1, call.deadline - now), now, fx))
      this.running.set(id, call)
    } catch (error) {
      call.fail(error)
    }
  }

  /** Time is up for a call that still waits. For one that runs, the command itself sees to it and knows what it waits for. */
  private giveUp(call: Call): void {
    if (this.waiting.delete(call))
      call.fail(new DeadlineError(`no turn came in time; ${this.running.size} commands were running before it`))
  }

  private onEvent(event: KbrEvent): void {
    if (event.type === 'host:stopped') this.failAll(new NotReadyError('the node was stopped'))
    else this.onPastEvent(event as PastEvent)
  }

  private onPastEvent(event: PastEvent): void {
    if (event.type !== 'past:progress' && event.type !== 'past:done') return
    const call = this.running.get(event.command)
    if (call === undefined) return
    if (event.type === 'past:progress') {
      call.progress({ type: `past:${event.step}`, detail: event.detail })
      return
    }
    this.running.delete(event.command)
    if (event.outcome.ok) call.succeed(event.outcome.value)
    else call.fail(event.outcome.error)
    this.startWaiting()
  }

  private failAll(error: Error): void {
    for (const call of [...this.running.values(), ...this.waiting]) call.fail(error)
    this.running.clear()
    this.waiting.clear()
    this.patience.clear()
  }
}
