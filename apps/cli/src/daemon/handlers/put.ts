import { guidFromCid } from '@plaxton/guid'
import { Files } from '@plaxton/files'
import { ControlProtocolError } from '../../control/frames.ts'
import { oneOf, optionalCount, text } from './arguments.ts'
import { atMostEvery, progressEveryMs, whenReady } from './context.ts'
import type { CallOptions, Dht, Inspection, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import type { FilesEvent, NewEntry } from '@plaxton/files'
import type { Guid } from '@plaxton/guid'
import type { Call } from '../../control/server.ts'
import type { PutResult } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** `put`: stores the file or directory the client has, and notes it in the catalog. */
export async function put(context: Context, call: Call): Promise<PutResult> {
  const { arguments: args, signal } = call
  const name = text(args, 'name')
  const type = oneOf(args, 'type', ['file', 'directory'])
  const replicas = optionalCount(args, 'replicas')
  const quorum = args['quorum'] === undefined ? undefined : oneOf(args, 'quorum', ['majority', 'all'])
  context.catalog.checkRoom(name)
  await whenReady(context, signal)

  const startedAt = performance.now()
  const dht = new ReceiptKeeper(context.node.past)
  const files = new Files(dht, { ...(replicas === undefined ? {} : { replicas }), ...(quorum === undefined ? {} : { quorum }) })
  const options = { signal, onProgress: teller(call) }
  const added = type === 'file' ? await files.addFile(contentOf(call, 0), options) : await files.addDirectory(entriesOf(call), options)
  const cid = added.cid.toString()
  const guid = guidFromCid(cid)
  const { size, blocks } = added
  await context.catalog.add({ guid, cid, name, type, size, blocks, storedAt: Date.now() })
  return {
    guid,
    cid,
    name,
    type,
    size,
    blocks,
    replicas: dht.fewest,
    wanted: dht.wanted,
    elapsedMs: Math.round(performance.now() - startedAt),
  }
}

/** The entries of the client's directory, asked for one after the other. */
async function* entriesOf(call: Call): AsyncGenerator<NewEntry> {
  for (let entry = 0; ; entry++) {
    const { header } = await call.ask({ type: 'next' })
    if (header.type === 'end') return
    if (header.type !== 'entry' || typeof header['path'] !== 'string') throw new ControlProtocolError('an entry without a path')
    const { path } = header
    yield header['kind'] === 'directory' ? { path } : { path, content: contentOf(call, entry) }
  }
}

/** The bytes of an entry of the client, asked for as they are stored. */
async function* contentOf(call: Call, entry: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { body } = await call.ask({ type: 'read', entry })
    if (body === undefined) throw new ControlProtocolError('an answer without content')
    if (body.length === 0) return
    yield body
  }
}

function teller(call: Call): (event: FilesEvent) => void {
  const due = atMostEvery(progressEveryMs)
  return ({ blocks, bytes }) => {
    // A client that does not keep up with ten lines a second is stuck or gone; that shows elsewhere.
    if (due()) void call.tell({ type: 'progress', blocks, done: bytes }).catch(() => {})
  }
}

/** A hash table that remembers of all its receipts the smallest. */
class ReceiptKeeper implements Dht {
  /** Copies of the object that has the fewest, of those put. */
  fewest = Infinity
  wanted = 0
  private readonly dht: Dht

  constructor(dht: Dht) {
    this.dht = dht
  }

  async put(guid: Guid, data: Uint8Array, options?: PutOptions): Promise<PutReceipt> {
    const receipt = await this.dht.put(guid, data, options)
    this.fewest = Math.min(this.fewest, receipt.holders.length)
    this.wanted = receipt.wanted
    return receipt
  }

  get(guid: Guid, options?: CallOptions): Promise<Uint8Array> {
    return this.dht.get(guid, options)
  }

  remove(guid: Guid, options?: CallOptions): Promise<RemoveReceipt> {
    return this.dht.remove(guid, options)
  }

  has(guid: Guid, options?: CallOptions): Promise<boolean> {
    return this.dht.has(guid, options)
  }

  inspect(guid: Guid, options?: CallOptions): Promise<Inspection> {
    return this.dht.inspect(guid, options)
  }

  ensure(guid: Guid, replicas?: number, options?: CallOptions): Promise<Inspection> {
    return this.dht.ensure(guid, replicas, options)
  }
}
