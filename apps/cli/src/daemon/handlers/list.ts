import { guidFromCid } from '@plaxton/guid'
import { rootIn, whenReady } from './context.ts'
import type { Call } from '../../control/server.ts'
import type { ListItem } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** `ls`: sends what was put through this node, or with a root the entries of that directory. */
export async function list(context: Context, call: Call): Promise<{ readonly items: number }> {
  let items = 0
  for await (const item of call.arguments['root'] === undefined ? context.catalog.list() : entriesOf(context, call)) {
    await call.tell({ type: 'item', value: item })
    items++
  }
  return { items }
}

async function* entriesOf(context: Context, call: Call): AsyncGenerator<ListItem> {
  await whenReady(context, call.signal)
  for await (const { name, cid, type, size } of context.node.files().list(await rootIn(context, call), { signal: call.signal })) {
    yield { name, guid: guidFromCid(cid.toString()), cid: cid.toString(), type, size }
  }
}
