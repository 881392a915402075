import type { Guid } from '@plaxton/guid'
import { guidOf, shortGuid } from '@plaxton/guid'
import type { AppEffects, Millis } from '@plaxton/kbr'
import type { DolrConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'
import { detached } from './records.ts'
import type { SignedRecord } from './records.ts'

/**
 * Judges records: by the rules at once, by their signature when the world has looked at it. A record that comes again while its signature is being
 * checked, on the way to another root say, waits for the same verdict.
 */
export class Notary {
  private readonly config: DolrConfig
  private readonly errands: Errands
  /** By the digest of all its bytes. Bound: `verificationsMax`; full: `check` says so. */
  private readonly pending = new Map<Guid, Pending>()
  /** What each sender has of these. */
  private readonly work = new Map<Guid, number>()
  /** Records not looked at because too many were. */
  refused = 0
  /** Records that were not signed by the host they name. */
  forged = 0

  constructor(config: DolrConfig, errands: Errands) {
    this.config = config
    this.errands = errands
  }

  get open(): number {
    return this.pending.size
  }

  /** The rule that the record breaks, in a sentence. */
  ruleBroken({ signedAt, ttlMs }: SignedRecord, now: Millis): string | undefined {
    const { maxSkewMs, maxTtlMs } = this.config
    if (signedAt > now + maxSkewMs) return `the record is dated ${signedAt - now} ms ahead of the clock here`
    if (ttlMs > maxTtlMs) return `the record is to hold ${ttlMs} ms, allowed are ${maxTtlMs}`
    if (expiryOf({ signedAt, ttlMs }, now, this.config) <= now) return `the record expired ${now - signedAt - ttlMs} ms ago`
    return undefined
  }

  /** False when there are too many to check. Otherwise `then` gets a copy of the record to keep, or undefined when it is forged. */
  check(record: SignedRecord, sender: Guid, fx: AppEffects, then: Then<SignedRecord | undefined>): boolean {
    const id = digestOf(record)
    const pending = this.pending.get(id)
    const isFull = pending === undefined ? !this.hasRoomFor(sender) : pending.waiting.length >= waitingMax
    if (isFull) this.refused++
    else if (pending !== undefined) pending.waiting.push(then)
    else this.begin(id, detached(record), sender, fx, then)
    return !isFull
  }

  private hasRoomFor(sender: Guid): boolean {
    const { verificationsMax, workShares } = this.config
    if (this.pending.size >= verificationsMax) return false
    return (this.work.get(sender) ?? 0) < Math.max(1, verificationsMax / workShares)
  }

  private begin(id: Guid, record: SignedRecord, sender: Guid, fx: AppEffects, then: Then<SignedRecord | undefined>): void {
    const entry: Pending = { record, waiting: [then] }
    this.pending.set(id, entry)
    this.work.set(sender, (this.work.get(sender) ?? 0) + 1)
    const { host: node, body: message, publicKey, signature } = record
    this.errands.ask({ kind: 'verify-node', node, publicKey, message, signature }, fx, (answer, now, effects) => {
      this.pending.delete(id)
      this.release(sender)
      const valid = answer.kind === 'verified' && answer.valid
      if (!valid) this.forged++
      for (const each of entry.waiting) each(valid ? record : undefined, now, effects)
    })
  }

  private release(sender: Guid): void {
    const left = (this.work.get(sender) ?? 1) - 1
    if (left > 0) this.work.set(sender, left)
    else this.work.delete(sender)
  }
}

/** When a record that has just come stops to count: after its time by the clock here, and not much later than by its host's. */
export function expiryOf(
  { signedAt, ttlMs }: { readonly signedAt: Millis; readonly ttlMs: Millis },
  now: Millis,
  config: DolrConfig,
): Millis {
  return Math.min(now + ttlMs, signedAt + ttlMs + config.maxSkewMs)
}

/** For a sentence. */
export function forgery({ host }: SignedRecord): string {
  return `the record is not signed by ${shortGuid(host.id)}, the host it names`
}

interface Pending {
  readonly record: SignedRecord
  /** Bound: {@link waitingMax}; full: as when too many records are checked. */
  readonly waiting: Array<Then<SignedRecord | undefined>>
}

/** Each way of a record waits once, and a message that wants a reply once more; the rest are repeats. */
const waitingMax = 64

function digestOf({ body, publicKey, signature }: SignedRecord): Guid {
  const all = new Uint8Array(body.length + publicKey.length + signature.length)
  all.set(publicKey)
  all.set(signature, publicKey.length)
  all.set(body, publicKey.length + signature.length)
  return guidOf(all)
}
