import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, KbrEvent, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import { NotReadyError } from '@plaxton/kbr'
import type { PastEvent, PastNode } from '@plaxton/past'
import { namedGuid } from '@plaxton/past'
import { CallQueue } from './call-queue.ts'
import type { ClientHost } from './client-host.ts'

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
  private readonly past: PastNode
  private readonly calls: CallQueue

  /** `past` is the application that `host` was told to `use`. */
  constructor(host: ClientHost, past: PastNode) {
    this.past = past
    this.publicKey = host.publicKey(past)
    this.calls = new CallQueue(host, past, past.config.commandMs)
    host.observe((event) => this.onEvent(event))
  }

  /** The guid of the object that this client's owner stores under `name` and `salt`. */
  nameGuid(name: string, salt?: Uint8Array): Guid {
    return namedGuid(name, this.publicKey, salt)
  }

  put(guid: Guid, data: Uint8Array, options: PutOptions & SignerOptions = {}): Promise<PutReceipt> {
    const { replicas, quorum, expires, name, salt, signer } = options
    return this.calls.call(options, (timeoutMs, now, fx) =>
      this.past.put({ guid, data, replicas, quorum, expires, name, salt, signer, timeoutMs }, now, fx),
    )
  }

  get(guid: Guid, options: CallOptions = {}): Promise<Uint8Array> {
    return this.calls.call(options, (timeoutMs, now, fx) => this.past.get({ guid, timeoutMs }, now, fx))
  }

  remove(guid: Guid, options: CallOptions & SignerOptions = {}): Promise<RemoveReceipt> {
    const { signer } = options
    return this.calls.call(options, (timeoutMs, now, fx) => this.past.remove({ guid, signer, timeoutMs }, now, fx))
  }

  has(guid: Guid, options: CallOptions = {}): Promise<boolean> {
    return this.calls.call(options, (timeoutMs, now, fx) => this.past.has({ guid, timeoutMs }, now, fx))
  }

  inspect(guid: Guid, options: CallOptions = {}): Promise<Inspection> {
    return this.calls.call(options, (timeoutMs, now, fx) => this.past.inspect({ guid, timeoutMs }, now, fx))
  }

  ensure(guid: Guid, replicas?: number, options: CallOptions = {}): Promise<Inspection> {
    return this.calls.call(options, (timeoutMs, now, fx) => this.past.ensure({ guid, replicas, timeoutMs }, now, fx))
  }

  private onEvent(event: KbrEvent): void {
    if (event.type === 'host:stopped') this.calls.failAll(new NotReadyError('the node was stopped'))
    else this.onPastEvent(event as PastEvent)
  }

  private onPastEvent(event: PastEvent): void {
    if (event.type === 'past:progress') this.calls.progress(event.command, `past:${event.step}`, event.detail)
    else if (event.type === 'past:done') this.calls.done(event.command, event.outcome)
  }
}
