import { guidFromCid } from '@plaxton/guid'
import { PlaxtonError } from '@plaxton/kbr'
import { eachAtOnce } from '../../each-at-once.ts'
import { optionalCount } from './arguments.ts'
import { atMostEvery, progressEveryMs, rootIn, whenReady } from './context.ts'
import type { Guid } from '@plaxton/guid'
import type { Inspection } from '@plaxton/kbr'
import type { Call } from '../../control/server.ts'
import type { BlockItem, StatResult } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** Blocks asked about at once. */
const blocksAtOnce = 8

/** `stat`: asks who holds each block of a tree now; with `ensure`, restores its copies first. Sends every block. */
export async function stat(context: Context, call: Call): Promise<StatResult> {
  const { node } = context
  const { signal, arguments: args } = call
  await whenReady(context, signal)
  const startedAt = performance.now()
  const root = await rootIn(context, call)
  const files = node.files()
  const { cid, type, size } = await files.stat(root, { signal })

  const replicas = optionalCount(args, 'replicas')
  const ask = (guid: Guid): Promise<Inspection> =>
    args['ensure'] === true ? node.past.ensure(guid, replicas, { signal }) : node.past.inspect(guid, { signal })
  const summary = { blocks: 0, minReplicas: Infinity, maxReplicas: 0, wanted: 0 }
  const due = atMostEvery(progressEveryMs)
  const inspect = async (guid: Guid): Promise<void> => {
    const { size: bytes, wanted, holders } = await orNobody(guid, ask(guid))
    summary.blocks++
    summary.minReplicas = Math.min(summary.minReplicas, holders.length)
    summary.maxReplicas = Math.max(summary.maxReplicas, holders.length)
    summary.wanted = Math.max(summary.wanted, wanted)
    const item: BlockItem = { guid, size: bytes, wanted, holders: holders.map(({ id }) => id) }
    await call.tell({ type: 'item', value: item })
    if (due()) await call.tell({ type: 'progress', done: summary.blocks, blocks: summary.blocks })
  }
  await eachAtOnce(files.blocks(cid, { signal }), blocksAtOnce, (block) => inspect(guidFromCid(block.toString())))
  return {
    guid: guidFromCid(cid.toString()),
    cid: cid.toString(),
    type,
    size,
    ...summary,
    elapsedMs: Math.round(performance.now() - startedAt),
  }
}

/** A block that is lost has no holders: that is what was asked. */
async function orNobody(guid: Guid, asked: Promise<Inspection>): Promise<Inspection> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof PlaxtonError && error.code === 'ERR_NOT_FOUND') {
      return { guid, size: 0, wanted: 0, holders: [], expires: undefined }
    }
    throw error
  }
}
