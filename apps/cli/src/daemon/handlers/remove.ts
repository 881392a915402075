import { guidFromCid } from '@plaxton/guid'
import { NotFoundError, NotOwnerError } from '@plaxton/kbr'
import { rootIn, whenReady, atMostEvery, progressEveryMs } from './context.ts'
import { UsageError } from '../../errors.ts'
import type { Call } from '../../control/server.ts'
import type { RemoveResult } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** `rm`: withdraws this node's claim on every block of a tree that no other entry of the catalog needs. */
export async function remove(context: Context, call: Call): Promise<RemoveResult> {
  const { node, catalog } = context
  await whenReady(context, call.signal)
  const startedAt = performance.now()
  const cid = await rootIn(context, call)
  if (cid.includes('/'))
    throw new UsageError('a part of a directory cannot be removed: directories never change; put a new one and remove the old one')
  const guid = guidFromCid(cid)
  const entry = catalog.get(guid)
  const due = atMostEvery(progressEveryMs)
  const removal = await node.files().removeTree(cid, {
    signal: call.signal,
    keep: catalog.list().flatMap((other) => (other.guid === guid ? [] : [other.cid])),
    onProgress: ({ blocks }) => {
      if (due()) void call.tell({ type: 'progress', blocks, done: blocks, total: entry?.blocks }).catch(() => {})
    },
  })
  const { removed, kept, missing, notOwned } = removal
  if (removed + kept === 0) {
    if (notOwned > 0) throw new NotOwnerError(`${cid} was put through another node: remove it there, only its owner can`)
    if (entry === undefined) throw new NotFoundError(`${cid} is not stored: there is nothing to remove`)
  }
  await catalog.remove(guid)
  return { guid, cid, name: entry?.name ?? null, removed, kept, missing, notOwned, elapsedMs: Math.round(performance.now() - startedAt) }
}
