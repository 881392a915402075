import { PlaxtonError } from '@plaxton/kbr'
import type { CID } from 'multiformats/cid'
import { guidOfCid, isIdentity } from './blockstore.ts'
import { eachParallel } from './parallel.ts'
import { decodeNode, hasLinks } from './tree.ts'

/** What became of the blocks of a tree. */
export interface Removal {
  /** Blocks whose claim by this owner was withdrawn. */
  readonly removed: number
  /** Blocks that trees to be kept need too; what is below a kept block is kept and not counted. */
  readonly kept: number
  /** Blocks nobody holds any more; a call that was cut short leaves such. What was below a missing block is not found. */
  readonly missing: number
  /** Blocks this owner has no claim on; they stay. */
  readonly notOwned: number
}

/** How {@link removeBlocks} reaches the blocks. */
export interface RemoveAccess {
  readonly get: (cid: CID) => Promise<Uint8Array>
  readonly remove: (cid: CID) => Promise<void>
}

/** Children worked on at once by each inner node. */
const childrenAtOnce = 8

/**
 * Removes every block of the tree `root` that no tree of `keep` reaches, each after all below it, so that a call cut short can be
 * repeated. Remembers each block once: some 200 bytes per MiB of content.
 */
export async function removeBlocks(root: CID, keep: readonly CID[], access: RemoveAccess): Promise<Removal> {
  const kept = new Set<string>()
  await eachParallel(keep, childrenAtOnce, (cid) => reach(cid, kept, access))

  const count = { removed: 0, kept: 0, missing: 0, notOwned: 0 }
  const seen = new Map<string, Promise<void>>()
  const visit = (cid: CID): Promise<void> => {
    if (isIdentity(cid)) return Promise.resolve()
    const guid = guidOfCid(cid)
    const before = seen.get(guid)
    if (before !== undefined) return before
    const visited = kept.has(guid) ? Promise.resolve(void count.kept++) : removeNode(cid)
    seen.set(guid, visited)
    return visited
  }
  const removeNode = async (cid: CID): Promise<void> => {
    try {
      if (hasLinks(cid)) await eachParallel(decodeNode(cid, await access.get(cid)).Links, childrenAtOnce, ({ Hash }) => visit(Hash))
      await access.remove(cid)
      count.removed++
    } catch (error) {
      const reason = error instanceof PlaxtonError ? error.code : undefined
      if (reason === 'ERR_NOT_FOUND') count.missing++
      else if (reason === 'ERR_NOT_OWNER') count.notOwned++
      else throw error
    }
  }
  await visit(root)
  return count
}

/** Adds the guids of all blocks of the tree `cid` to `reached`. Every inner block must be there: what cannot be read cannot be spared. */
async function reach(cid: CID, reached: Set<string>, access: RemoveAccess): Promise<void> {
  if (isIdentity(cid)) return
  const guid = guidOfCid(cid)
  if (reached.has(guid)) return
  reached.add(guid)
  if (!hasLinks(cid)) return
  await eachParallel(decodeNode(cid, await access.get(cid)).Links, childrenAtOnce, ({ Hash }) => reach(Hash, reached, access))
}
