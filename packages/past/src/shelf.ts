import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis, StoreEntry } from '@plaxton/kbr'
import { assert } from '@plaxton/kbr'
import { anyLive, covers, detachClaim, isForgettable, leadingCertificate, mergeClaims, versionOf } from './claims.ts'
import type { Certificate, Claim } from './claims.ts'
import { decodeRecord, encodeRecord } from './codec.ts'
import type { PastConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'

/** One object this node holds, or the memory of one that was removed. What is said here is durable. */
export interface Held {
  readonly guid: Guid
  /** Sorted by owner. */
  readonly claims: readonly Claim[]
  /** See `versionOf`. */
  readonly version: number
  /** The certificate the data answer to. */
  readonly leading: Certificate
  /** False for what was removed: only the claims are left. */
  readonly hasData: boolean
}

/**
 * What became of an attempt to keep something; `held` is what is there now. `kept`: all the claims count here, durably. `refused`: not all
 * do, because there is no room or an owner has said otherwise since.
 */
export interface Kept {
  readonly outcome: 'kept' | 'needs data' | 'refused'
  /** One sentence when refused. */
  readonly detail: string
  readonly held: Held | undefined
}

/** Bytes whose digest has been computed here. */
export interface Data {
  readonly bytes: Uint8Array
  readonly digest: Guid
}

/** Why the shelf changed. */
export type ShelfChange = 'loaded' | 'kept' | 'expired' | 'handed over' | 'unreadable'

/** Told of every change of the index, in the step that makes it. */
export type ShelfListener = (before: Held | undefined, after: Held | undefined, why: ShelfChange, fx: AppEffects) => void

/**
 * The objects on this node: an index in memory, the bytes and claims on disk under `d/<guid>` and `r/<guid>`.
 *
 * Data are written before the record and erased after it: a record on disk has its data, except after a crash while data were
 * erased, and then the record says that they are not wanted. Changes of one object happen one after the other, and the index changes
 * when the disk has.
 */
export class Shelf {
  /** At most `maxObjects`; further objects are refused. */
  private readonly index = new Map<Guid, Held>()
  /** Changes that wait for one of the same object, which is being written; at most {@link maxQueue} for each. */
  private readonly queues = new Map<Guid, Array<(now: Millis, fx: AppEffects) => void>>()
  /** Bytes of data in the index, and those of writes under way. */
  private storedBytes = 0
  private reservedBytes = 0
  private reservedObjects = 0
  private readonly config: PastConfig
  private readonly errands: Errands
  private readonly onChange: ShelfListener

  constructor(config: PastConfig, errands: Errands, onChange: ShelfListener) {
    this.config = config
    this.errands = errands
    this.onChange = onChange
  }

  get(guid: Guid): Held | undefined {
    return this.index.get(guid)
  }

  /** The object if it is held and lives; undefined for one that has expired or was removed. */
  live(guid: Guid, now: Millis): Held | undefined {
    const held = this.index.get(guid)
    return held?.hasData === true && anyLive(held.claims, now) ? held : undefined
  }

  /** All that is held, in no particular order. */
  all(): Iterable<Held> {
    return this.index.values()
  }

  get size(): number {
    return this.index.size
  }

  get bytes(): number {
    return this.storedBytes
  }

  /** Reads the index from disk. Afterwards `then` gets how many records there were, or undefined when the disk cannot be read. */
  load(now: Millis, fx: AppEffects, then: Then<number | undefined>): void {
    this.errands.ask({ kind: 'list', prefix: 'r/' }, fx, (answer, later, fxThen) => {
      if (answer.kind !== 'listed') return then(undefined, later, fxThen)
      const useless: StoreEntry[] = []
      for (const [key, bytes] of answer.entries) {
        const guid = key.slice(2) as Guid
        const held = readHeld(guid, bytes, later)
        if (held === undefined) useless.push([dataKey(guid), undefined], [recordKey(guid), undefined])
        else {
          if (!held.hasData) useless.push([dataKey(guid), undefined])
          this.replace(undefined, held, 'loaded', fxThen)
        }
      }
      if (useless.length > 0) this.errands.ask({ kind: 'write', entries: useless }, fxThen, () => {})
      then(this.index.size, later, fxThen)
    })
  }

  /** Merges verified `claims` into what is held and keeps `data` when they are wanted and missing. Durable when `then` runs. */
  keep(guid: Guid, claims: readonly Claim[], data: Data | undefined, now: Millis, fx: AppEffects, then: Then<Kept>): void {
    const begun = this.inTurn(guid, now, fx, (time, effects) => this.keepNow(guid, claims, data, time, effects, then))
    if (!begun) then({ outcome: 'refused', detail: 'too much is being done with this object', held: this.index.get(guid) }, now, fx)
  }

  /** The object's bytes, checked against its certificate. Undefined when they cannot be had; unreadable ones are let go of. */
  read(guid: Guid, fx: AppEffects, then: Then<Data | undefined>): void {
    const held = this.index.get(guid)
    this.errands.ask({ kind: 'read', key: dataKey(guid) }, fx, (answer, now, fxThen) => {
      const bytes = answer.kind === 'read' ? answer.bytes : undefined
      const digest = bytes && guidOf(bytes)
      if (bytes !== undefined && digest !== undefined && digest === held?.leading.contentDigest) return then({ bytes, digest }, now, fxThen)
      then(undefined, now, fxThen)
      // A failing disk may recover; bytes that are gone or wrong will not. If the object has changed meanwhile, `drop` does nothing.
      if (answer.kind === 'read' && held?.hasData === true) this.drop(guid, held.version, 'unreadable', now, fxThen)
    })
  }

  /** Erases the object if it is still in this version. */
  drop(guid: Guid, version: number, why: 'handed over' | 'unreadable', now: Millis, fx: AppEffects): void {
    this.inTurn(guid, now, fx, (time, effects) => {
      const held = this.index.get(guid)
      if (held === undefined || held.version !== version) return this.next(guid, time, effects)
      // Data first: what a crash in between leaves is a record without data, which the next read finds out.
      const entries: StoreEntry[] = [
        [dataKey(guid), undefined],
        [recordKey(guid), undefined],
      ]
      this.write(guid, entries, { before: held, after: undefined, why }, effects, () => {})
    })
  }

  /** Erases what has expired and forgets removals that are old enough. */
  sweep(now: Millis, fx: AppEffects): void {
    for (const { guid, claims } of this.index.values()) {
      if (!claims.some((claim) => isForgettable(claim, now, this.config.tombstoneMs))) continue
      this.inTurn(guid, now, fx, (time, effects) => this.forgetNow(guid, time, effects))
    }
  }

  /** Throws when the counters contradict the index. */
  assertInvariants(): void {
    let bytes = 0
    for (const held of this.index.values()) {
      if (held.hasData) bytes += held.leading.size
      assert(held.claims.length > 0 && held.claims.length <= this.config.maxOwners, 'every record has 1 to maxOwners claims')
      assert(held.version === versionOf(held.claims), 'a record has the version of its claims')
    }
    assert(bytes === this.storedBytes, `${this.storedBytes} bytes are counted and ${bytes} are held`)
    assert(this.queues.size > 0 || (this.reservedBytes === 0 && this.reservedObjects === 0), 'nothing is reserved when nothing is written')
  }

  private keepNow(guid: Guid, claims: readonly Claim[], data: Data | undefined, now: Millis, fx: AppEffects, then: Then<Kept>): void {
    const held = this.index.get(guid)
    const merged = mergeClaims(held?.claims ?? [], claims, this.config.maxOwners)
    const after = heldOf(guid, merged, now)
    const finish = (outcome: Kept['outcome'], detail: string): void => {
      then({ outcome, detail, held }, now, fx)
      this.next(guid, now, fx)
    }
    const kept: Pick<Kept, 'outcome' | 'detail'> = claims.every((claim) => covers(merged, claim))
      ? { outcome: 'kept', detail: '' }
      : {
          outcome: 'refused',
          detail: merged.length < this.config.maxOwners ? 'its owner has said otherwise since' : 'it has as many owners as it may',
        }
    if (after === undefined) return finish('refused', 'there was no claim')
    if (held?.version === after.version && held.hasData === after.hasData) return finish(kept.outcome, kept.detail)

    const needsData = after.hasData && !(held?.hasData === true && held.leading.contentDigest === after.leading.contentDigest)
    if (needsData && data?.digest !== after.leading.contentDigest) return finish('needs data', '')
    if (needsData && data?.bytes.length !== after.leading.size) return finish('refused', 'the certificate states another size')
    const problem = this.reserve(held, after)
    if (problem !== undefined) return finish('refused', problem)

    const entries: StoreEntry[] = []
    if (needsData) entries.push([dataKey(guid), data?.bytes])
    entries.push([recordKey(guid), encodeRecord(merged)])
    // Where no record was, a put cut off by a crash may have left data.
    if (!after.hasData && held?.hasData !== false) entries.push([dataKey(guid), undefined])
    const detached = { ...after, claims: merged.map((claim) => (held?.claims.includes(claim) === true ? claim : detachClaim(claim))) }
    this.write(guid, entries, { before: held, after: withLeading(detached, now), why: 'kept' }, fx, (failure, time, effects) => {
      this.release(held, after)
      if (failure === undefined) then({ ...kept, held: this.index.get(guid) }, time, effects)
      else then({ outcome: 'refused', detail: `it could not be written: ${failure}`, held }, time, effects)
    })
  }

  private forgetNow(guid: Guid, now: Millis, fx: AppEffects): void {
    const held = this.index.get(guid)
    const kept = held?.claims.filter((claim) => !isForgettable(claim, now, this.config.tombstoneMs)) ?? []
    if (held === undefined || kept.length === held.claims.length) return this.next(guid, now, fx)
    const after = heldOf(guid, kept, now)
    const entries: StoreEntry[] = []
    if (after?.hasData !== true) entries.push([dataKey(guid), undefined])
    entries.push([recordKey(guid), after && encodeRecord(kept)])
    this.write(guid, entries, { before: held, after, why: 'expired' }, fx, () => {})
  }

  /** Writes and then changes the index; undefined for `then` when all went well, else why not. */
  private write(guid: Guid, entries: StoreEntry[], change: Change, fx: AppEffects, then: Then<string | undefined>): void {
    this.errands.ask({ kind: 'write', entries }, fx, (answer, now, fxThen) => {
      const failure = answer.kind === 'written' ? undefined : answer.kind === 'failed' ? answer.reason : 'the store gave no answer'
      if (failure === undefined) this.replace(change.before, change.after, change.why, fxThen)
      then(failure, now, fxThen)
      this.next(guid, now, fxThen)
    })
  }

  private replace(before: Held | undefined, after: Held | undefined, why: ShelfChange, fx: AppEffects): void {
    this.storedBytes += bytesOf(after) - bytesOf(before)
    if (after !== undefined) this.index.set(after.guid, after)
    else if (before !== undefined) this.index.delete(before.guid)
    this.onChange(before, after, why, fx)
  }

  private reserve(before: Held | undefined, after: Held): string | undefined {
    const more = Math.max(0, bytesOf(after) - bytesOf(before))
    if (before === undefined && this.index.size + this.reservedObjects >= this.config.maxObjects) {
      return `this node holds as many objects as it may, ${this.config.maxObjects}`
    }
    if (this.storedBytes + this.reservedBytes + more > this.config.capacityBytes) {
      return `this node has room for ${this.config.capacityBytes} bytes and ${more} more do not fit`
    }
    this.reservedBytes += more
    if (before === undefined) this.reservedObjects++
    return undefined
  }

  private release(before: Held | undefined, after: Held): void {
    this.reservedBytes -= Math.max(0, bytesOf(after) - bytesOf(before))
    if (before === undefined) this.reservedObjects--
  }

  /** Runs `change` when no other change of this object is under way; each ends with {@link next}. False when too many wait already. */
  private inTurn(guid: Guid, now: Millis, fx: AppEffects, change: (now: Millis, fx: AppEffects) => void): boolean {
    const queue = this.queues.get(guid)
    if (queue === undefined) {
      this.queues.set(guid, [])
      change(now, fx)
    } else if (queue.length < maxQueue) queue.push(change)
    else return false
    return true
  }

  private next(guid: Guid, now: Millis, fx: AppEffects): void {
    const queue = this.queues.get(guid)
    const change = queue?.shift()
    if (change === undefined) this.queues.delete(guid)
    else change(now, fx)
  }
}

interface Change {
  readonly before: Held | undefined
  readonly after: Held | undefined
  readonly why: ShelfChange
}

function heldOf(guid: Guid, claims: readonly Claim[], now: Millis): Held | undefined {
  const leading = leadingCertificate(claims, now)
  return leading && { guid, claims, version: versionOf(claims), leading, hasData: anyLive(claims, now) }
}

/** The leading certificate taken from the record's own claims, so that it shares no memory with a message. */
function withLeading(held: Held, now: Millis): Held {
  const leading = leadingCertificate(held.claims, now)
  return leading === undefined ? held : { ...held, leading }
}

function readHeld(guid: Guid, bytes: Uint8Array, now: Millis): Held | undefined {
  try {
    return heldOf(guid, decodeRecord(bytes).map(detachClaim), now)
  } catch {
    return undefined // A record that cannot be read is as good as none; its replicas will bring it back.
  }
}

function bytesOf(held: Held | undefined): number {
  return held?.hasData === true ? held.leading.size : 0
}

/** Changes of one object that wait. Its owners put and remove it one at a time; more comes from nobody honest. */
const maxQueue = 64

function dataKey(guid: Guid): string {
  return `d/${guid}`
}

function recordKey(guid: Guid): string {
  return `r/${guid}`
}
