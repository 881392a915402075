import * as dagPb from '@ipld/dag-pb'
import type { PBNode } from '@ipld/dag-pb'
import { PlaxtonError } from '@plaxton/kbr'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'

/** What is stored is not a file or directory as unixfs describes them. */
export class InvalidFileError extends PlaxtonError {
  constructor(cid: CID, problem: string) {
    super('InvalidFileError', 'ERR_INVALID_FILE', `${cid.toString()} ${problem}`)
  }
}

/** The codec in the CID of a block that links to others, DAG-PB. */
export const treeCodec = dagPb.code

/** True for a block that links to others; any other is a leaf. */
export function hasLinks(cid: CID): boolean {
  return cid.code === dagPb.code
}

/** The node in an inner block. Throws {@link InvalidFileError}. */
export function decodeNode(cid: CID, block: Uint8Array): PBNode {
  try {
    return dagPb.decode(block)
  } catch {
    throw new InvalidFileError(cid, 'is not a DAG-PB node')
  }
}

/** What an inner node says of itself. Throws {@link InvalidFileError}. */
export function decodeUnixfs(cid: CID, node: PBNode): UnixFS {
  try {
    return UnixFS.unmarshal(node.Data ?? new Uint8Array(0))
  } catch {
    throw new InvalidFileError(cid, 'is not a unixfs node')
  }
}

/** The part of a file that an inner node describes. Throws {@link InvalidFileError}. */
export function decodeFile(cid: CID, node: PBNode): UnixFS {
  const file = decodeUnixfs(cid, node)
  if (file.isDirectory()) throw new InvalidFileError(cid, 'is a directory')
  if (file.blockSizes.length !== node.Links.length) throw new InvalidFileError(cid, 'has another number of sizes than of links')
  return file
}

/** True for a block that is a directory, or a file that goes on in other blocks. */
export function isRootOfTree(block: Uint8Array): boolean {
  try {
    const { Data, Links } = dagPb.decode(block)
    const unixfs = UnixFS.unmarshal(Data ?? new Uint8Array(0))
    return unixfs.isDirectory() || (unixfs.type === 'file' && Links.length > 0 && Links.length === unixfs.blockSizes.length)
  } catch {
    return false
  }
}

/** Yields `cid` and all below it, each once; `fetch` is asked for those that have links. */
export async function* blocksOf(cid: CID, fetch: (cid: CID) => Promise<Uint8Array>, seen = new Set<string>()): AsyncGenerator<CID> {
  const id = cid.toString()
  if (seen.has(id)) return
  seen.add(id)
  yield cid
  if (!hasLinks(cid)) return
  for (const { Hash } of decodeNode(cid, await fetch(cid)).Links) yield* blocksOf(Hash, fetch, seen)
}
