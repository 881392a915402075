import type { Guid } from '@plaxton/guid'
import { isGuid, shortGuid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, KbrEvent, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import { InvalidValueError, NotReadyError, PlaxtonError } from '@plaxton/kbr'
import type { PastEvent, PastNode } from '@plaxton/past'
import { namedGuid } from '@plaxton/past'
import type { Command } from './call.ts'
import { Call } from './call.ts'
import type { NodeHost } from './host.ts'

/** How long each call may take when its caller does not say, in milliseconds. Our choice: well above what a live network needs. */
export const callTimeouts = {
  put: 30_000,
  get: 30_000,
  remove: 30_000,
  has: 15_000,
  inspect: 15_000,
  ensure: 60_000,
} as const

/** Commands a client runs at once. More would only queue in the node and the link. Our choice. */
const mostRunning = 128

/** Calls that wait for their turn. When full, further ones reject with `ERR_OVERLOADED`: the caller is far ahead of the network. */
const mostWaiting = 10_000

/**
 * PAST with promises: the calls of `Dht` on the `PastNode` of one host.
 *
 * At most 128 commands run at once and 10,000 wait, so a caller who awaits nothing is slowed down and then refused, not drowned. A call that
 * is aborted or out of time rejects at once; what it has sent is not taken back, so an aborted `put` may have stored the object.
 */
export class PastClient implements Dht {
  /** The key that signs this client's objects: Ed25519, 32 raw bytes. */
  readonly publicKey: Uint8Array
  private readonly host: NodeHost
  private readonly past: PastNode
  private readonly running = new Map<number, Call>()
  private readonly waiting = new Set<Call>()

  /** `past` is the application that `host` was told to `use`. */
  constructor(host: NodeHost, past: PastNode) {
    this.host = host
    this.past = past
    this.publicKey = host.publicKey(past)
    host.observe((event) => this.onEvent(event))
  }

  /** The guid of the named object that this client's owner would store under `name` and `salt`. */
  nameGuid(name: string, salt?: Uint8Array): Guid {
    return namedGuid(name, this.publicKey, salt)
  }

  async put(guid: Guid, data: Uint8Array, options: PutOptions = {}): Promise<PutReceipt> {
    if (!(data instanceof Uint8Array)) throw new InvalidValueError('data', data, 'a Uint8Array')
    const { replicas, quorum, expires, name, salt } = options
    return this.call('put', guid, options, (now, fx) => this.past.put({ guid, data, replicas, quorum, expires, name, salt }, now, fx))
  }

  async get(guid: Guid, options: CallOptions = {}): Promise<Uint8Array> {
    return this.call('get', guid, options, (now, fx) => this.past.get({ guid }, now, fx))
  }

  async remove(guid: Guid, options: CallOptions = {}): Promise<RemoveReceipt> {
    return this.call('remove', guid, options, (now, fx) => this.past.remove({ guid }, now, fx))
  }

  async has(guid: Guid, options: CallOptions = {}): Promise<boolean> {
    return this.call('has', guid, options, (now, fx) => this.past.has({ guid }, now, fx))
  }

  async inspect(guid: Guid, options: CallOptions = {}): Promise<Inspection> {
    return this.call('inspect', guid, options, (now, fx) => this.past.inspect({ guid }, now, fx))
  }

  async ensure(guid: Guid, replicas?: number, options: CallOptions = {}): Promise<Inspection> {
    return this.call('ensure', guid, options, (now, fx) => this.past.ensure({ guid, replicas }, now, fx))
  }

  private async call<T>(verb: keyof typeof callTimeouts, guid: Guid, options: CallOptions, command: Command): Promise<T> {
    if (!isGuid(guid)) throw new InvalidValueError('guid', guid, '64 lower-case hex digits')
    const { timeoutMs = callTimeouts[verb] } = options
    if (!(timeoutMs > 0)) throw new InvalidValueError('timeoutMs', timeoutMs, 'more than 0')
    if (this.waiting.size >= mostWaiting) {
      throw new PlaxtonError('OverloadedError', 'ERR_OVERLOADED', `${mostWaiting} calls are waiting already; await some before making more`)
    }
    if (options.signal?.aborted === true) throw options.signal.reason
    const call = new Call(command, options.onProgress)
    this.waiting.add(call)
    this.startWaiting()
    return call.outcome(`${verb} of ${shortGuid(guid)}`, timeoutMs, options.signal, this.host.clock) as Promise<T>
  }

  /** A call given up while its command runs keeps its place until the command ends: the node is still busy with it. */
  private startWaiting(): void {
    for (const call of this.waiting) {
      if (this.running.size >= mostRunning) return
      this.waiting.delete(call)
      if (call.isOver) continue
      try {
        this.running.set(this.host.command(this.past, call.command), call)
      } catch (error) {
        call.fail(error)
      }
    }
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
  }
}
