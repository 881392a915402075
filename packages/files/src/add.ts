import { InvalidValueError, assert } from '@plaxton/kbr'
import type { ImportCandidateStream, WritableStorage } from 'ipfs-unixfs-importer'
import { importer } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import type { PastBlockstore } from './blockstore.ts'
import { blocksAtOnce } from './blockstore.ts'
import type { Tally } from './events.ts'
import { hasLinks } from './tree.ts'

/** Bytes, whole or as they come. A stream is read no faster than its blocks are stored. */
export type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** One entry of a directory to be added. */
export interface NewEntry {
  /** Below the directory, such as `docs/readme.md`; names are separated by `/`. */
  readonly path: string
  /** Without content it is a directory, which need not be named unless it is empty. */
  readonly content?: Content
}

/** What was added. */
export interface Added {
  readonly cid: CID
  /** Bytes of file content. */
  readonly size: number
  /** Blocks stored, those that were there before included. */
  readonly blocks: number
}

/** Adds one file; the CID is that of its root block. */
export async function addOne(content: Content, blockstore: PastBlockstore, tally: Tally, signal: AbortSignal | undefined): Promise<Added> {
  return addAll([{ content: watched(content, signal) }], blockstore, tally, signal, {})
}

/** Adds a directory of `entries`. */
export async function addMany(
  entries: Iterable<NewEntry> | AsyncIterable<NewEntry>,
  blockstore: PastBlockstore,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<Added> {
  async function* candidates(): AsyncGenerator<{ path: string; content: Content } | { path: string }> {
    for await (const { path, content } of entries) {
      checkPath(path)
      yield content === undefined ? { path } : { path, content: watched(content, signal) }
    }
  }
  return addAll(candidates(), blockstore, tally, signal, { wrapWithDirectory: true, fileImportConcurrency: filesAtOnce })
}

/**
 * Files imported at once in a directory; each has up to 8 blocks under way. Our choice: many small files go eight at a time, and large
 * ones hold 64 MiB at most.
 */
const filesAtOnce = 8

async function addAll(
  source: ImportCandidateStream,
  blockstore: PastBlockstore,
  tally: Tally,
  signal: AbortSignal | undefined,
  options: { wrapWithDirectory?: boolean; fileImportConcurrency?: number },
): Promise<Added> {
  const storage: WritableStorage = {
    async put(cid, block) {
      signal?.throwIfAborted()
      await blockstore.put(cid, block, { signal })
      const bytes = !hasLinks(cid) && block instanceof Uint8Array ? block.length : 0
      tally.block('files:block-stored', bytes, `block ${cid.toString()} is stored`)
      return cid
    },
  }
  let root: CID | undefined
  // Blocks of 1 MiB, raw leaves, CIDv1, 1024 links a node: the same bytes have the same CID here and in every IPFS node that uses the profile.
  for await (const entry of importer(source, storage, { profile: 'unixfs-v1-2025', blockWriteConcurrency: blocksAtOnce, ...options })) {
    root = entry.cid
    tally.tell('files:entry-added', `${entry.path || 'the whole'} is ${entry.cid.toString()}`)
  }
  signal?.throwIfAborted()
  assert(root !== undefined, 'the importer ends with the root')
  return { cid: root, size: tally.bytes, blocks: tally.blocks }
}

/** `content`, ending with the signal's reason when that is given. */
async function* watched(content: Content, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    signal?.throwIfAborted()
    if (!(chunk instanceof Uint8Array)) throw new InvalidValueError('content', chunk, 'chunks of bytes (Uint8Array)')
    yield chunk
  }
}

function checkPath(path: string): void {
  const names = path.split('/').filter((name) => name !== '')
  if (names.length === 0 || names.includes('.') || names.includes('..')) {
    throw new InvalidValueError('path', path, 'names separated by /, none of them . or ..')
  }
}
