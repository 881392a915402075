import type { CID } from 'multiformats/cid'
import { InvalidFileError, decodeFile, decodeNode, hasLinks } from './tree.ts'

/** The stretch of a file to read: bytes `start` up to `end`, `end` not included. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** Fetches one block. */
export type Fetch = (cid: CID) => Promise<Uint8Array>

/**
 * Yields the bytes of the file `root` within `wanted`, in order, with at most `ahead` blocks fetched in advance at each level of the tree. It
 * fetches as fast as its consumer takes, and stops when that stops. (The exporter of ipfs-unixfs fetches on whether or not anybody
 * takes: a file larger than memory could not be read through it.)
 */
export async function* readBlocks(root: CID, wanted: Stretch, ahead: number, fetch: Fetch): AsyncGenerator<Uint8Array> {
  // What is left to read, in the order of the file; the first `ahead` are being fetched.
  const line: Piece[] = [{ cid: root, start: 0, size: undefined, block: undefined }]
  for (;;) {
    for (const piece of line.slice(0, ahead)) piece.block ??= quietly(fetch(piece.cid))
    const piece = line.shift()
    if (piece === undefined) return
    const block = await piece.block!
    const { data, children } = open(piece, block)
    const bytes = cut(data, piece.start, wanted)
    if (bytes.length > 0) yield bytes
    line.unshift(...children.filter((child) => overlaps(child, wanted)))
  }
}

/** A block of the file: its bytes and those of all below it begin at `start` and should be `size`; the root's size is its own word. */
interface Piece {
  readonly cid: CID
  readonly start: number
  readonly size: number | undefined
  block: Promise<Uint8Array> | undefined
}

/** The bytes a block itself has and the pieces below it. Throws `InvalidFileError` when it is not as large as its parent says. */
function open(piece: Piece, block: Uint8Array): { data: Uint8Array; children: Piece[] } {
  if (!hasLinks(piece.cid)) {
    expectSize(piece, block.length)
    return { data: block, children: [] }
  }
  const node = decodeNode(piece.cid, block)
  const file = decodeFile(piece.cid, node)
  const data = file.data ?? new Uint8Array(0)
  let start = piece.start + data.length
  const children = node.Links.map((link, index): Piece => {
    const size = Number(file.blockSizes[index])
    const child = { cid: link.Hash, start, size, block: undefined }
    start += size
    return child
  })
  expectSize(piece, start - piece.start)
  return { data, children }
}

function expectSize(piece: Piece, size: number): void {
  if (piece.size !== undefined && piece.size !== size)
    throw new InvalidFileError(piece.cid, `holds ${size} bytes where ${piece.size} belong`)
}

function overlaps({ start, size }: Piece, wanted: Stretch): boolean {
  return start < wanted.end && start + (size ?? 0) > wanted.start
}

function cut(data: Uint8Array, start: number, wanted: Stretch): Uint8Array {
  return data.subarray(Math.max(0, wanted.start - start), Math.max(0, wanted.end - start))
}

/** Lets a fetch in advance fail without notice until its turn comes. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
