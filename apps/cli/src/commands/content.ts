import { open, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pieceBytes } from '../control/frames.ts'
import { UsageError } from '../errors.ts'
import type { FileHandle } from 'node:fs/promises'
import type { FrameHeader } from '../control/frames.ts'
import type { Answer } from '../control/client.ts'

/** What is to be stored, and answers to the daemon's questions about it. */
export interface Content {
  readonly type: 'file' | 'directory'
  /** What to call it: the last part of its path. */
  readonly name: string
  /** Bytes in all; undefined for stdin. */
  readonly total: number | undefined
  /** Paths of what is neither a file nor a folder, such as links: left out. */
  readonly skipped: readonly string[]
  answer(question: FrameHeader): Promise<Answer>
  /** Closes what is open. */
  close(): Promise<void>
}

/** The content at a path; `-` is stdin. Throws `UsageError` when there is nothing to store. */
export async function contentAt(path: string): Promise<Content> {
  if (path === '-') return new StreamContent(process.stdin)
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(error.code === 'ENOENT' ? `there is no ${path}` : `${path} cannot be read: ${error.message}`)
  })
  const name = basename(resolve(path))
  if (found.isFile()) return new DiskContent('file', name, [{ path: name, file: path, size: found.size }], [])
  if (!found.isDirectory()) throw new UsageError(`${path} is neither a file nor a folder`)
  const { entries, skipped } = await entriesBelow(path)
  return new DiskContent('directory', name, entries, skipped)
}

/** A file below a folder, or a folder with nothing in it. */
interface DiskEntry {
  /** From the folder, with `/`. */
  readonly path: string
  /** Where it is; undefined for a folder. */
  readonly file: string | undefined
  readonly size: number
}

/** Everything below a folder, by name. Links are not followed, so that nothing is stored that is not in there. */
async function entriesBelow(folder: string, within = ''): Promise<{ entries: DiskEntry[]; skipped: string[] }> {
  const entries: DiskEntry[] = []
  const skipped: string[] = []
  const found = await readdir(join(folder, within), { withFileTypes: true })
  for (const each of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = within === '' ? each.name : `${within}/${each.name}`
    const file = join(folder, path)
    if (each.isFile()) entries.push({ path, file, size: (await stat(file)).size })
    else if (each.isDirectory()) {
      const below = await entriesBelow(folder, path)
      entries.push(...below.entries)
      skipped.push(...below.skipped)
    } else skipped.push(path)
  }
  if (found.length === 0 && within !== '') entries.push({ path: within, file: undefined, size: 0 })
  return { entries, skipped }
}

/** Files on disk, opened when they are first asked for. The daemon reads a few at a time. */
class DiskContent implements Content {
  readonly type: 'file' | 'directory'
  readonly name: string
  readonly total: number
  readonly skipped: readonly string[]
  private readonly entries: readonly DiskEntry[]
  private readonly open = new Map<number, FileHandle>()
  private next = 0

  constructor(type: 'file' | 'directory', name: string, entries: readonly DiskEntry[], skipped: readonly string[]) {
    this.type = type
    this.name = name
    this.entries = entries
    this.skipped = skipped
    this.total = entries.reduce((sum, { size }) => sum + size, 0)
  }

  async answer(question: FrameHeader): Promise<Answer> {
    if (question.type === 'read') return { header: { type: 'data' }, body: await this.read(question['entry'] as number) }
    const entry = this.entries[this.next++]
    if (entry === undefined) return { header: { type: 'end' } }
    return { header: { type: 'entry', path: entry.path, kind: entry.file === undefined ? 'directory' : 'file' } }
  }

  async close(): Promise<void> {
    for (const handle of this.open.values()) await handle.close()
    this.open.clear()
  }

  private async read(index: number): Promise<Uint8Array> {
    const file = this.entries[index]?.file
    if (file === undefined) throw new UsageError(`the daemon asks for entry ${index}, which is no file`)
    const handle = this.open.get(index) ?? (await open(file, 'r'))
    this.open.set(index, handle)
    const { bytesRead, buffer } = await handle.read(new Uint8Array(pieceBytes))
    if (bytesRead === 0) {
      this.open.delete(index)
      await handle.close()
    }
    return buffer.subarray(0, bytesRead)
  }
}

/** What comes in on a stream, as it comes. */
class StreamContent implements Content {
  readonly type = 'file'
  readonly name = 'stdin'
  readonly total = undefined
  readonly skipped: readonly string[] = []
  private readonly stream: NodeJS.ReadStream
  private readonly chunks: AsyncIterator<Uint8Array>
  private rest: Uint8Array = new Uint8Array(0)

  constructor(stream: NodeJS.ReadStream) {
    this.stream = stream
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  }

  async answer(): Promise<Answer> {
    if (this.rest.length === 0) {
      const next = await this.chunks.next()
      this.rest = next.done === true ? new Uint8Array(0) : next.value
    }
    const body = this.rest.subarray(0, pieceBytes)
    this.rest = this.rest.subarray(body.length)
    return { header: { type: 'data' }, body }
  }

  async close(): Promise<void> {
    this.stream.destroy()
  }
}
