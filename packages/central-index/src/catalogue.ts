import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Millis, NodeRef } from '@plaxton/kbr'
import type { ServerConfig } from './config.ts'
import type { Distance, FoundFile, IndexedHost, Listing, Update } from './messages.ts'
import { wordsOf } from './words.ts'

/** A client and its list, as one server knows them. */
export interface ClientRecord {
  readonly node: NodeRef
  /** The server it has registered with. */
  readonly home: Guid
  readonly version: number
  readonly listings: Map<Guid, Listing>
  readonly distances: readonly Distance[]
  /** When this server last learnt of it, from itself or from another server. */
  heardAt: Millis
}

/**
 * What became of an update: `applied`; `stale`, when as much or more was known; `gap`, when what it changes is not known; `full`, when there is no room.
 */
export type Applied = 'applied' | 'stale' | 'gap' | 'full'

/** The index of one server: clients with their lists, objects with their hosts, words with the objects whose names have them. */
export class Catalogue {
  private readonly config: ServerConfig
  /** Bound: `clientsMax`; full: further ones are not taken. */
  private readonly clients = new Map<Guid, ClientRecord>()
  /** Who lists an object, by its guid. Bound: `listingsMax` in all; full: updates that would add one are not taken. */
  private readonly hosts = new Map<Guid, Map<Guid, Listing>>()
  /** How many listings of an object have a word in their name. Bound: 16 words for each listing. */
  private readonly words = new Map<string, Map<Guid, number>>()
  private listingCount = 0

  constructor(config: ServerConfig) {
    this.config = config
  }

  get clientCount(): number {
    return this.clients.size
  }

  get listings(): number {
    return this.listingCount
  }

  get objects(): number {
    return this.hosts.size
  }

  client(id: Guid): ClientRecord | undefined {
    return this.clients.get(id)
  }

  all(): IterableIterator<ClientRecord> {
    return this.clients.values()
  }

  apply(update: Update, now: Millis): Applied {
    const { id } = update.node
    const known = this.clients.get(id)
    if (update.gone) return this.applyGone(known, update)
    if (known !== undefined && update.to <= known.version) return 'stale'
    if (!update.reset && known?.version !== update.from) return 'gap'
    const before = update.reset ? new Map<Guid, Listing>() : known!.listings
    if (!this.hasRoom(known, sizeAfter(before, update))) return 'full'

    if (update.reset && known !== undefined) this.unlistAll(id, known)
    const record = { node: update.node, home: update.home, version: update.to, listings: before, distances: update.distances, heardAt: now }
    if (!update.reset) record.distances = known!.distances
    this.clients.set(id, record)
    for (const guid of update.withdrawn) this.unlist(id, record, guid)
    for (const listing of update.listed) this.list(id, record, listing)
    return 'applied'
  }

  remove(id: Guid): void {
    const record = this.clients.get(id)
    if (record === undefined) return
    this.unlistAll(id, record)
    this.clients.delete(id)
  }

  /** Files whose name has all of these words, at most `max`, those with the most hosts first. */
  search(words: readonly string[], max: number): FoundFile[] {
    const postings = words.map((word) => this.words.get(word))
    if (postings.length === 0 || postings.includes(undefined)) return []
    const [rarest, ...others] = (postings as Array<Map<Guid, number>>).sort((a, b) => a.size - b.size)
    const found: FoundFile[] = []
    let looksLeft = this.config.scanMax
    for (const guid of rarest!.keys()) {
      if (looksLeft-- <= 0) break
      if (!others.every((posting) => posting.has(guid))) continue
      const hosts = this.hosts.get(guid)!
      // One object may be listed under several names; one of them must have all the words.
      for (const { name, size } of hosts.values()) {
        if (hasAll(name, words)) {
          found.push({ guid, name, size, hosts: hosts.size })
          break
        }
        if (looksLeft-- <= 0) break
      }
    }
    return found.sort((a, b) => b.hosts - a.hosts || compareTexts(a.name, b.name) || compareGuids(a.guid, b.guid)).slice(0, max)
  }

  /**
   * Hosts of an object, at most `max`, those first that are likely to be near `asker`: whose round trips to the servers are like its own. Only a hint, which
   * decides who is named when there are many; the asker measures. Not named are those `excluded`, who were of no use to it.
   */
  hostsOf(guid: Guid, max: number, asker: Guid, excluded: readonly Guid[] = []): IndexedHost[] {
    const near = this.clients.get(asker)?.distances ?? []
    const useless = new Set(excluded)
    return [...(this.hosts.get(guid) ?? [])]
      .slice(0, this.config.scanMax)
      .filter(([id]) => !useless.has(id))
      .map(([id, listing]) => ({ id, listing, record: this.clients.get(id)! }))
      .map((host) => ({ ...host, unlikeness: unlikeness(near, host.record.distances) }))
      .sort((a, b) => a.unlikeness - b.unlikeness || compareGuids(a.id, b.id))
      .slice(0, max)
      .map(({ listing: { name, size, answers }, record: { node } }) => ({ node, name, size, answers }))
  }

  /** Throws when the parts contradict each other. For tests and the simulator. */
  assertInvariants(): void {
    let count = 0
    const words = new Map<string, Map<Guid, number>>()
    for (const [id, { listings }] of this.clients) {
      count += listings.size
      for (const [guid, listing] of listings) {
        assert(this.hosts.get(guid)?.get(id) === listing, 'a listing of a client is not among the hosts')
        for (const word of wordsOf(listing.name)) {
          const posting = words.get(word) ?? new Map<Guid, number>()
          words.set(word, posting.set(guid, (posting.get(guid) ?? 0) + 1))
        }
      }
    }
    assert(count === this.listingCount, `${this.listingCount} listings are counted where there are ${count}`)
    assert(sum(this.hosts) === count, 'hosts are kept that list nothing')
    assert(words.size === this.words.size, 'words are kept that no name has')
    for (const [word, posting] of words) {
      for (const [guid, times] of posting) assert(this.words.get(word)?.get(guid) === times, `the word ${word} is counted wrongly`)
      assert(this.words.get(word)!.size === posting.size, `the word ${word} leads to objects without it`)
    }
  }

  private applyGone(known: ClientRecord | undefined, { node, home, to }: Update): Applied {
    if (known === undefined || known.version > to || known.home !== home) return 'stale'
    this.remove(node.id)
    return 'applied'
  }

  private hasRoom(known: ClientRecord | undefined, listings: number): boolean {
    const { clientsMax, listingsMax, listingsPerClient } = this.config
    if (known === undefined && this.clients.size >= clientsMax) return false
    const more = listings - (known?.listings.size ?? 0)
    return listings <= listingsPerClient && this.listingCount + Math.max(0, more) <= listingsMax
  }

  private list(id: Guid, record: ClientRecord, listing: Listing): void {
    const { guid } = listing
    this.unlist(id, record, guid)
    record.listings.set(guid, listing)
    const hosts = this.hosts.get(guid) ?? new Map<Guid, Listing>()
    this.hosts.set(guid, hosts.set(id, listing))
    this.listingCount++
    for (const word of wordsOf(listing.name)) {
      const posting = this.words.get(word) ?? new Map<Guid, number>()
      this.words.set(word, posting.set(guid, (posting.get(guid) ?? 0) + 1))
    }
  }

  private unlistAll(id: Guid, record: ClientRecord): void {
    for (const guid of [...record.listings.keys()]) this.unlist(id, record, guid)
  }

  private unlist(id: Guid, record: ClientRecord, guid: Guid): void {
    const listing = record.listings.get(guid)
    if (listing === undefined) return
    record.listings.delete(guid)
    this.listingCount--
    const hosts = this.hosts.get(guid)!
    hosts.delete(id)
    if (hosts.size === 0) this.hosts.delete(guid)
    for (const word of wordsOf(listing.name)) {
      const posting = this.words.get(word)!
      const times = posting.get(guid)! - 1
      if (times > 0) posting.set(guid, times)
      else posting.delete(guid)
      if (posting.size === 0) this.words.delete(word)
    }
  }
}

/** How many listings a client has after the update. A list may name one thing twice, or withdraw it again and again. */
function sizeAfter(before: ReadonlyMap<Guid, Listing>, { withdrawn, listed }: Update): number {
  const after = new Set(before.keys())
  for (const guid of withdrawn) after.delete(guid)
  for (const { guid } of listed) after.add(guid)
  return after.size
}

function hasAll(name: string, words: readonly string[]): boolean {
  const own = wordsOf(name)
  return words.every((word) => own.includes(word))
}

/** How much two clients differ in their round trips to the servers that both have measured, on average; infinite when there is none. */
function unlikeness(a: readonly Distance[], b: readonly Distance[]): number {
  const pairs = a.flatMap(({ server, ms }) => {
    const other = b.find((distance) => distance.server === server)
    return other === undefined ? [] : [Math.abs(ms - other.ms)]
  })
  return pairs.length === 0 ? Number.MAX_SAFE_INTEGER : pairs.reduce((total, each) => total + each, 0) / pairs.length
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sum(maps: ReadonlyMap<unknown, ReadonlyMap<unknown, unknown>>): number {
  let total = 0
  for (const { size } of maps.values()) total += size
  return total
}
