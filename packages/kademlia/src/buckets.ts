import { sharedPrefixBits } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef } from '@plaxton/kbr'

/** A node in a k-bucket. */
interface Contact {
  ref: NodeRef
  /** When something of it arrived last. */
  seenAt: Millis
}

/** The contacts at one distance range: those that share exactly `level` bits with the node. */
export interface Bucket {
  readonly level: number
  /** Least recently seen first. At most k. */
  readonly contacts: Contact[]
  /** Seen when the bucket was full, newest first: the replacement cache. At most k. Full: the oldest goes. */
  readonly waiting: NodeRef[]
  /** When a contact was seen or the range searched. */
  usedAt: Millis
}

/**
 * The k-buckets (Kademlia, IPTPS 2002, §2.2): one for each distance range, made when somebody is first put in. A contact that answers is never given up
 * for a new one: the longer a node has been up, the longer it is likely to stay, and nobody can flush a table by flooding it with new nodes.
 *
 * The paper splits only the bucket of the own id and so has one bucket for all near ranges until it is full; here each range has its own from the beginning, which comes to the
 * same, for near ranges hold few nodes.
 */
export class Buckets {
  private readonly self: Guid
  /** k. */
  private readonly size: number
  private readonly byLevel = new Map<number, Bucket>()

  constructor(self: Guid, size: number) {
    this.self = self
    this.size = size
  }

  levelOf(id: Guid): number {
    return sharedPrefixBits(this.self, id)
  }

  at(level: number): Bucket | undefined {
    return this.byLevel.get(level)
  }

  /** Those that exist, in the order in which they were made. */
  all(): Iterable<Bucket> {
    return this.byLevel.values()
  }

  get(id: Guid): Contact | undefined {
    return this.byLevel.get(this.levelOf(id))?.contacts.find(({ ref }) => ref.id === id)
  }

  refs(): NodeRef[] {
    const refs: NodeRef[] = []
    for (const { contacts } of this.byLevel.values()) for (const { ref } of contacts) refs.push(ref)
    return refs
  }

  hasRoomFor(id: Guid): boolean {
    const bucket = this.byLevel.get(this.levelOf(id))
    return bucket === undefined || bucket.contacts.length < this.size
  }

  /** Something of it arrived: it goes to the tail. False when it is no contact. */
  touch(id: Guid, now: Millis): boolean {
    const bucket = this.byLevel.get(this.levelOf(id))
    if (bucket === undefined) return false
    const at = bucket.contacts.findIndex(({ ref }) => ref.id === id)
    if (at < 0) return false
    const [contact] = bucket.contacts.splice(at, 1)
    contact!.seenAt = now
    bucket.contacts.push(contact!)
    bucket.usedAt = now
    return true
  }

  /** A node that is no contact was seen. True when there was room; otherwise it waits, and the head of the bucket is who ought to be pinged. */
  offer(ref: NodeRef, now: Millis): boolean {
    const bucket = this.bucketFor(ref.id, now)
    const waitingAt = bucket.waiting.findIndex(({ id }) => id === ref.id)
    if (waitingAt >= 0) bucket.waiting.splice(waitingAt, 1)
    if (bucket.contacts.length < this.size) {
      bucket.contacts.push({ ref, seenAt: now })
      bucket.usedAt = now
      return true
    }
    bucket.waiting.unshift(ref)
    if (bucket.waiting.length > this.size) bucket.waiting.pop()
    return false
  }

  /** Takes out a contact, or one that waits. True when it was a contact. */
  remove(id: Guid): boolean {
    const bucket = this.byLevel.get(this.levelOf(id))
    if (bucket === undefined) return false
    const waitingAt = bucket.waiting.findIndex((ref) => ref.id === id)
    if (waitingAt >= 0) bucket.waiting.splice(waitingAt, 1)
    const at = bucket.contacts.findIndex(({ ref }) => ref.id === id)
    if (at >= 0) bucket.contacts.splice(at, 1)
    return at >= 0
  }

  /** When there is room where `id` stood: the newest of those that wait for it, who waits no more and is to be greeted. */
  heirOf(id: Guid): NodeRef | undefined {
    const bucket = this.byLevel.get(this.levelOf(id))
    return bucket !== undefined && bucket.contacts.length < this.size ? bucket.waiting.shift() : undefined
  }

  /** The contact seen least recently of all; undefined when there is none. */
  stalest(): Contact | undefined {
    let stalest: Contact | undefined
    for (const { contacts } of this.byLevel.values()) {
      const head = contacts[0]
      if (head !== undefined && (stalest === undefined || head.seenAt < stalest.seenAt)) stalest = head
    }
    return stalest
  }

  /** The range was searched, or is about to be. */
  noteUse(level: number, now: Millis): void {
    const bucket = this.byLevel.get(level)
    if (bucket !== undefined) bucket.usedAt = now
  }

  assertInvariants(): void {
    const named = new Set<Guid>()
    let count = 0
    for (const { level, contacts, waiting } of this.byLevel.values()) {
      assert(contacts.length <= this.size && waiting.length <= this.size, 'a bucket is bounded')
      count += contacts.length + waiting.length
      let before = -Infinity
      for (const { ref, seenAt } of contacts) {
        named.add(ref.id)
        assert(this.levelOf(ref.id) === level, 'a contact stands in the bucket of its distance range')
        assert(before <= seenAt, 'a bucket is sorted, least recently seen first')
        before = seenAt
      }
      for (const { id } of waiting) named.add(id)
    }
    assert(named.size === count, 'the buckets name everybody once')
  }

  private bucketFor(id: Guid, now: Millis): Bucket {
    const level = this.levelOf(id)
    const known = this.byLevel.get(level)
    if (known !== undefined) return known
    const bucket: Bucket = { level, contacts: [], waiting: [], usedAt: now }
    this.byLevel.set(level, bucket)
    return bucket
  }
}
