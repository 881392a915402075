import { guidFromBytes } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, PutOptions } from '@plaxton/kbr'
import { InvalidValueError, PlaxtonError } from '@plaxton/kbr'
import type { Blockstore, InputPair, Pair } from 'interface-blockstore'
import type { CID } from 'multiformats/cid'
import { mapParallel } from './parallel.ts'

/** Bytes of the largest block: what PAST stores as one object, and what IPFS implementations exchange. */
export const maxBlockBytes = 1024 * 1024

/** How blocks are stored; see `PutOptions`. */
export type BlockOptions = Pick<PutOptions, 'replicas' | 'quorum' | 'expires'>

/**
 * A distributed hash table as an `interface-blockstore`, for Helia, the unixfs importer and whatever else speaks of blocks by CID.
 *
 * A block is a content object: its guid is the digest in its CID, so CIDs must be of SHA-256 (or of identity, which carry their bytes and are
 * never stored). The codec of a CID is not stored: blocks are found by CIDs of any codec. `delete` withdraws this owner's claim.
 */
export class PastBlockstore implements Blockstore {
  private readonly dht: Dht
  private readonly options: BlockOptions

  constructor(dht: Dht, options: BlockOptions = {}) {
    this.dht = dht
    this.options = options
  }

  /** Stores the block durably on its replicas. Rejects with `InvalidValueError` when it is larger than 1 MiB. */
  async put(cid: CID, block: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options?: SignalOption): Promise<CID> {
    if (isIdentity(cid)) return cid
    await this.dht.put(guidOfCid(cid), await gather(block), { ...this.options, ...callOptions(options) })
    return cid
  }

  /** Yields the block's bytes, verified. Throws `NotFoundError`. */
  async *get(cid: CID, options?: SignalOption): AsyncGenerator<Uint8Array> {
    yield isIdentity(cid) ? cid.multihash.digest : await this.dht.get(guidOfCid(cid), callOptions(options))
  }

  async has(cid: CID, options?: SignalOption): Promise<boolean> {
    return isIdentity(cid) || this.dht.has(guidOfCid(cid), callOptions(options))
  }

  /** Withdraws this owner's claim on the block. A block nobody holds is as good as deleted. */
  async delete(cid: CID, options?: SignalOption): Promise<void> {
    if (isIdentity(cid)) return
    try {
      await this.dht.remove(guidOfCid(cid), callOptions(options))
    } catch (error) {
      if (!(error instanceof PlaxtonError && error.code === 'ERR_NOT_FOUND')) throw error
    }
  }

  async *putMany(source: Iterable<InputPair> | AsyncIterable<InputPair>, options?: SignalOption): AsyncGenerator<CID> {
    yield* mapParallel(source, blocksAtOnce, ({ cid, bytes }) => this.put(cid, bytes, options))
  }

  async *getMany(source: Iterable<CID> | AsyncIterable<CID>, options?: SignalOption): AsyncGenerator<Pair> {
    yield* mapParallel(source, blocksAtOnce, async (cid) => {
      const block = await gather(this.get(cid, options))
      return { cid, bytes: once(block) }
    })
  }

  async *deleteMany(source: Iterable<CID> | AsyncIterable<CID>, options?: SignalOption): AsyncGenerator<CID> {
    yield* mapParallel(source, blocksAtOnce, async (cid) => {
      await this.delete(cid, options)
      return cid
    })
  }

  /** Throws `ERR_NOT_SUPPORTED`: no node knows all blocks of a network. */
  // oxlint-disable-next-line require-yield
  async *getAll(): AsyncGenerator<Pair> {
    throw new PlaxtonError('NotSupportedError', 'ERR_NOT_SUPPORTED', 'a distributed hash table cannot list all its blocks')
  }
}

/** The guid of the block a CID names. Throws `InvalidValueError` for a hash other than SHA-256. */
export function guidOfCid(cid: CID): Guid {
  const { code, digest } = cid.multihash
  if (code !== sha256Code || digest.length !== 32) throw new InvalidValueError('cid', cid.toString(), 'a CID of SHA-256')
  return guidFromBytes(digest)
}

export interface SignalOption {
  readonly signal?: AbortSignal | undefined
}

/** Blocks under way at once in the calls for many: 8 MiB in flight keep a gigabit line busy over 60 ms. Our choice. */
export const blocksAtOnce = 8

/**
 * How long one block may take. Our choice: a file of thousands of blocks should not fail because one of them was slow for longer than a
 * person would wait for a single object.
 */
const blockTimeoutMs = 60_000

/** Multihash codes (the multicodec table). */
const identityCode = 0x00
const sha256Code = 0x12

export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === identityCode
}

/** For every call on one block. */
export function callOptions(options: SignalOption | undefined): CallOptions {
  return options?.signal === undefined ? { timeoutMs: blockTimeoutMs } : { timeoutMs: blockTimeoutMs, signal: options.signal }
}

/** The whole block; stops reading at the first byte too many. */
async function gather(block: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (block instanceof Uint8Array) {
    if (block.length > maxBlockBytes) throw tooLarge(`${block.length} bytes`)
    return block
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of block) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBlockBytes) throw tooLarge('larger')
  }
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

function tooLarge(size: string): InvalidValueError {
  return new InvalidValueError('block', size, `at most ${maxBlockBytes} bytes; store more as a file, which is a DAG of blocks`)
}

function* once(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes
}
