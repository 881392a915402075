import { guidToCid, isGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { Dht } from '@plaxton/kbr'
import { InvalidValueError, NotFoundError, assert } from '@plaxton/kbr'
import { exporter, walkPath } from 'ipfs-unixfs-exporter'
import { CID } from 'multiformats/cid'
import type { Added, Content, NewEntry } from './add.ts'
import { addMany, addOne } from './add.ts'
import type { BlockOptions } from './blockstore.ts'
import { PastBlockstore, blocksAtOnce, callOptions, guidOfCid } from './blockstore.ts'
import type { FilesCallOptions } from './events.ts'
import { Tally } from './events.ts'
import { mapParallel } from './parallel.ts'
import { readBlocks } from './read.ts'
import type { Removal } from './remove.ts'
import { removeBlocks } from './remove.ts'
import { InvalidFileError, blocksOf, decodeNode, decodeUnixfs, hasLinks, isRootOfTree, treeCodec } from './tree.ts'

/**
 * What names a file or directory: a CID; its text; text with a path, `bafy…/docs/readme.md`; or a guid of 64 hex digits, which
 * names one object and stands for its bytes.
 */
export type Root = CID | string

/** A file or directory that is stored. */
export interface Entry {
  /** Its name in its directory; empty for a root. */
  readonly name: string
  readonly cid: CID
  readonly type: 'file' | 'directory'
  /** A file: its bytes. A directory: the bytes of all blocks below it, as its links say. */
  readonly size: number
}

/** Which part of a file to read. */
export interface ReadOptions extends FilesCallOptions {
  /** First byte; default 0. */
  readonly offset?: number
  /** Bytes to read at most; default all. */
  readonly length?: number
}

/** What a removal must spare. */
export interface RemoveOptions extends FilesCallOptions {
  /** Trees whose blocks stay, because they are still wanted: two files may share blocks. */
  readonly keep?: Iterable<Root>
}

/**
 * Files and directories in a distributed hash table, as unixfs trees of blocks of at most 1 MiB: what IPFS calls the profile
 * `unixfs-v1-2025`, so the same bytes have the same CID here and there.
 *
 * Everything streams: no call holds more than a few blocks at a time, however large the file.
 */
export class Files {
  private readonly dht: Dht
  private readonly blockstore: PastBlockstore

  /** `options` say how blocks are stored: replicas, quorum, expiry. */
  constructor(dht: Dht, options: BlockOptions = {}) {
    this.dht = dht
    this.blockstore = new PastBlockstore(dht, options)
  }

  /** Stores a file. Resolves when every block is durable on its quorum. */
  addFile(content: Content, options: FilesCallOptions = {}): Promise<Added> {
    return addOne(content, this.blockstore, new Tally(options), options.signal)
  }

  /** Stores a directory with everything in `entries`, which may come as they are found. */
  addDirectory(entries: Iterable<NewEntry> | AsyncIterable<NewEntry>, options: FilesCallOptions = {}): Promise<Added> {
    return addMany(entries, this.blockstore, new Tally(options), options.signal)
  }

  /**
   * Yields the bytes of a file in order, fetching at most 8 blocks ahead and only while somebody takes them. Throws `NotFoundError` for a
   * missing block or path and {@link InvalidFileError} for what is no file.
   */
  async *readFile(root: Root, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const { offset = 0, length = Infinity, signal } = options
    checkCount('offset', offset)
    if (length !== Infinity) checkCount('length', length)
    const cid = await this.resolve(root, signal)
    const tally = new Tally(options)
    yield* readBlocks(cid, { start: offset, end: offset + length }, blocksAtOnce, async (block) => {
      const bytes = await this.block(block, signal)
      tally.block('files:block-read', hasLinks(block) ? 0 : bytes.length, `block ${block.toString()} is read`)
      return bytes
    })
  }

  /** Yields the entries of a directory, in its order. Throws {@link InvalidFileError} for what is no directory. */
  async *list(root: Root, options: FilesCallOptions = {}): AsyncGenerator<Entry> {
    const cid = await this.resolve(root, options.signal)
    const directory = hasLinks(cid) ? await exporter(cid, this.blockstore, pick(options.signal)) : undefined
    if (directory?.type !== 'directory') throw new InvalidFileError(cid, 'is not a directory')
    yield* mapParallel(directory.entries(pick(options.signal)), blocksAtOnce, (entry) =>
      this.describe(entry.cid, entry.name, Number(entry.size), options.signal),
    )
  }

  /** Says what `root` is and how large. */
  async stat(root: Root, options: FilesCallOptions = {}): Promise<Entry> {
    return this.describe(await this.resolve(root, options.signal), '', undefined, options.signal)
  }

  /**
   * Withdraws this owner's claim on every block of the tree that no tree of `keep` needs, leaves first: a call that was cut short can be
   * repeated. Blocks of other owners stay.
   */
  async removeTree(root: Root, options: RemoveOptions = {}): Promise<Removal> {
    const { signal } = options
    const tally = new Tally(options)
    const keep = await Promise.all([...(options.keep ?? [])].map((kept) => this.resolve(kept, signal)))
    return removeBlocks(await this.resolve(root, signal), keep, {
      get: (cid) => this.block(cid, signal),
      remove: async (cid) => {
        await this.dht.remove(guidOfCid(cid), callOptions({ signal }))
        tally.block('files:block-removed', 0, `block ${cid.toString()} is removed`)
      },
    })
  }

  /** Yields the CID of every block of a tree, each once and before those below it. Blocks that links lead to need not be there. */
  async *blocks(root: Root, options: FilesCallOptions = {}): AsyncGenerator<CID> {
    yield* blocksOf(await this.resolve(root, options.signal), (cid) => this.block(cid, options.signal))
  }

  /**
   * The CID of the file or directory whose root block has this guid. A guid does not say whether its block is all of a file or links to others;
   * the block itself does, unless somebody stored the root of a tree as the content of a file: then only the CID tells which is meant.
   */
  async identify(guid: Guid, options: FilesCallOptions = {}): Promise<CID> {
    const leaf = CID.parse(guidToCid(guid))
    return isRootOfTree(await this.block(leaf, options.signal)) ? CID.createV1(treeCodec, leaf.multihash) : leaf
  }

  /** One block's bytes. */
  private async block(cid: CID, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { value } = await this.blockstore.get(cid, { signal }).next()
    assert(value instanceof Uint8Array, 'a blockstore gives a block in one piece or throws')
    return value
  }

  /** What stands behind `cid`; a leaf of known size need not be fetched for that. */
  private async describe(cid: CID, name: string, size: number | undefined, signal: AbortSignal | undefined): Promise<Entry> {
    if (!hasLinks(cid)) return { name, cid, type: 'file', size: size ?? (await this.block(cid, signal)).length }
    const node = decodeNode(cid, await this.block(cid, signal))
    const unixfs = decodeUnixfs(cid, node)
    if (!unixfs.isDirectory()) return { name, cid, type: 'file', size: Number(unixfs.fileSize()) }
    return { name, cid, type: 'directory', size: node.Links.reduce((sum, link) => sum + (link.Tsize ?? 0), 0) }
  }

  /** The CID at the end of the path. */
  private async resolve(root: Root, signal: AbortSignal | undefined): Promise<CID> {
    const [first = '', ...names] = pathOf(root)
    const cid = isGuid(first) ? CID.parse(guidToCid(first)) : parseCid(first)
    if (names.length === 0) return cid
    const path = [cid.toString(), ...names].join('/')
    const steps: CID[] = []
    try {
      for await (const step of walkPath(path, this.blockstore, pick(signal))) steps.push(step.cid)
    } catch (error) {
      // The exporter has errors of its own for a path that leads nowhere, or through something that is no directory.
      if (error instanceof Error && ['NotFoundError', 'NotUnixFSError'].includes(error.name))
        throw new NotFoundError(`${path}: ${error.message}`)
      throw error
    }
    // It takes a file of one node for the end of a path that leads on.
    if (steps.length <= names.length) throw new NotFoundError(`${path} leads through a file`)
    return steps.at(-1)!
  }
}

function pathOf(root: Root): string[] {
  return typeof root === 'string' ? root.split('/').filter((name) => name !== '') : [root.toString()]
}

function parseCid(text: string): CID {
  try {
    return CID.parse(text)
  } catch {
    throw new InvalidValueError('root', text, 'a CID, a CID with a path, or a guid of 64 hex digits')
  }
}

function checkCount(field: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidValueError(field, value, 'a whole number, 0 or more')
}

function pick(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
