import { rootIn, whenReady } from './context.ts'
import { pieceBytes } from '../../control/frames.ts'
import type { Files } from '@plaxton/files'
import type { Call } from '../../control/server.ts'
import type { Context } from './context.ts'

/** What `get` has sent. */
export interface GetResult {
  readonly cid: string
  readonly type: 'file' | 'directory'
  readonly files: number
  readonly bytes: number
  readonly elapsedMs: number
}

/** `get`: sends a file, or a directory with all below it, each entry before what is in it. */
export async function get(context: Context, call: Call): Promise<GetResult> {
  await whenReady(context, call.signal)
  const startedAt = performance.now()
  const files = context.node.files()
  const root = await rootIn(context, call)
  const { cid, type, size } = await files.stat(root, { signal: call.signal })
  const sender = new Sender(files, call)
  await sender.send('', cid.toString(), type, size)
  return { cid: cid.toString(), type, files: sender.files, bytes: sender.bytes, elapsedMs: Math.round(performance.now() - startedAt) }
}

class Sender {
  files = 0
  bytes = 0
  private readonly source: Files
  private readonly call: Call

  constructor(source: Files, call: Call) {
    this.source = source
    this.call = call
  }

  async send(path: string, cid: string, type: 'file' | 'directory', size: number): Promise<void> {
    await this.call.tell({ type: 'entry', path, kind: type, size })
    if (type === 'file') return this.sendFile(cid)
    for await (const entry of this.source.list(cid, { signal: this.call.signal })) {
      await this.send(path === '' ? entry.name : `${path}/${entry.name}`, entry.cid.toString(), entry.type, entry.size)
    }
  }

  private async sendFile(cid: string): Promise<void> {
    this.files++
    for await (const bytes of this.source.readFile(cid, { signal: this.call.signal })) {
      this.bytes += bytes.length
      for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
        await this.call.tell({ type: 'data' }, bytes.subarray(offset, offset + pieceBytes))
      }
    }
  }
}
