import { InvalidValueError, PlaxtonError } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'
import type { StorePort } from '@plaxton/runtime'

/** A file or folder that was put through this node. */
export interface CatalogEntry {
  readonly guid: Guid
  readonly cid: string
  readonly name: string
  readonly type: 'file' | 'directory'
  /** Bytes of content. */
  readonly size: number
  /** Blocks of the tree, counted once for each place they occur. */
  readonly blocks: number
  /** Milliseconds since 1970. */
  readonly storedAt: number
}

/** Entries kept, each some 300 bytes. Full: a further put is refused until something is removed. Our choice. */
const maxEntries = 100_000

/** Longest name in bytes: what file systems allow a path to be. */
const maxNameBytes = 4096

/** What was put through this node, by guid, in the node's own store. The same content under two names is one entry, with the latest name. */
export class Catalog {
  private readonly store: StorePort
  private readonly entries: Map<Guid, CatalogEntry>

  private constructor(store: StorePort, entries: Map<Guid, CatalogEntry>) {
    this.store = store
    this.entries = entries
  }

  static async open(store: StorePort): Promise<Catalog> {
    const entries = new Map<Guid, CatalogEntry>()
    for (const [, bytes] of await store.list(prefix)) {
      const entry = JSON.parse(Buffer.from(bytes).toString('utf8')) as CatalogEntry
      entries.set(entry.guid, entry)
    }
    return new Catalog(store, entries)
  }

  get size(): number {
    return this.entries.size
  }

  get(guid: Guid): CatalogEntry | undefined {
    return this.entries.get(guid)
  }

  /** All entries, by name. */
  list(): CatalogEntry[] {
    return [...this.entries.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.guid < b.guid ? -1 : 1))
  }

  /** Throws when there is no room for one more entry of this name. Asked before anything is stored. */
  checkRoom(name: string): void {
    if (Buffer.byteLength(name) > maxNameBytes) throw new InvalidValueError('name', name, `at most ${maxNameBytes} bytes`)
    if (this.entries.size >= maxEntries) {
      throw new PlaxtonError(
        'CatalogFullError',
        'ERR_CATALOG_FULL',
        `the catalog of this node has ${maxEntries} entries: remove some, or put through another node`,
      )
    }
  }

  /** Resolves when the entry is on disk. */
  async add(entry: CatalogEntry): Promise<void> {
    await this.store.write([[prefix + entry.guid, Buffer.from(JSON.stringify(entry))]])
    this.entries.set(entry.guid, entry)
  }

  async remove(guid: Guid): Promise<void> {
    if (!this.entries.has(guid)) return
    await this.store.write([[prefix + guid, undefined]])
    this.entries.delete(guid)
  }
}

/** Applications of the node have other prefixes: their names. */
const prefix = 'catalog/'
