import { mkdir, open, readFile, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreEntry } from '@plaxton/kbr'
import { PlaxtonError } from '@plaxton/kbr'
import { ClassicLevel } from 'classic-level'
import type { StorePort } from './ports.ts'

/** Another process, or another store of this one, has the directory open. */
export class StoreInUseError extends PlaxtonError {
  constructor(directory: string) {
    super('StoreInUseError', 'ERR_STORE_IN_USE', `${directory} is in use by another node; give each node a directory of its own`)
  }
}

/**
 * Opens a store in `directory`, which is made when it is missing. Rejects with {@link StoreInUseError} when somebody else has it open.
 *
 * LevelDB holds the keys and values up to 64 KiB; a larger value is a file of its own, because LevelDB copies values again and again as it
 * compacts. What is acknowledged survives `kill -9` and a power cut: files, their directory and the log of LevelDB are synced before a write
 * resolves. Writes that come while a sync is under way share the next one. A write is applied whole or not at all.
 */
export async function openStore(directory: string): Promise<StorePort> {
  const index = new ClassicLevel<string, Uint8Array>(join(directory, 'index'), {
    valueEncoding: 'view',
    // Stored content is mostly compressed or encrypted already.
    compression: false,
  })
  const files = join(directory, 'blocks')
  await mkdir(files, { recursive: true })
  try {
    await index.open()
  } catch (error) {
    if (causeOf(error).code === 'LEVEL_LOCKED') throw new StoreInUseError(directory)
    throw new PlaxtonError('StoreError', 'ERR_STORE', `${directory} cannot be opened: ${causeOf(error).message}`, { cause: error })
  }
  await removeStrayFiles(index, files)
  return new DirectoryStore(index, files)
}

/** Values longer than this many bytes are files of their own. At 64 KiB LevelDB and a file cost the same, at 1 MiB a file a fifth (bench/stores.bench.ts). */
const inlineLimit = 64 * 1024

/** Bytes of values that go behind one sync. Our choice: a few large blocks, so that the first writer does not wait for many others. */
const groupBytes = 8 * 1024 * 1024

/** First byte of a value in the index: the bytes follow, or the name of the file that holds them. */
const inline = 0
const inFile = 1

type Index = ClassicLevel<string, Uint8Array>

interface PendingWrite {
  readonly entries: readonly StoreEntry[]
  readonly bytes: number
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/**
 * The index has two kinds of keys: `d<key>` for the values and `f<file>` for each file in use. A file's name is used once, so nothing
 * is ever overwritten: until the batch that names it is in the index, a file is a stray one, and strays are removed at the next opening.
 */
class DirectoryStore implements StorePort {
  private readonly index: Index
  private readonly files: string
  /** Writes that wait for the next sync. Bounded by the applications, which limit what they have under way. */
  private pending: PendingWrite[] = []
  private writing: Promise<void> | undefined
  private closed = false

  constructor(index: Index, files: string) {
    this.index = index
    this.files = files
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    this.mustBeOpen()
    const value = await this.index.get(`d${key}`)
    return value && this.load(key, value)
  }

  write(entries: readonly StoreEntry[]): Promise<void> {
    return new Promise((done, failed) => {
      this.mustBeOpen()
      const bytes = entries.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0)
      this.pending.push({ entries, bytes, done, failed })
      this.writing ??= this.writeGroups()
    })
  }

  async list(prefix: string): Promise<Array<readonly [string, Uint8Array]>> {
    this.mustBeOpen()
    // Keys are ASCII, so none that starts with the prefix comes after prefix and DEL.
    const found = await this.index.iterator({ gte: `d${prefix}`, lt: `d${prefix}\x7f` }).all()
    const entries: Array<readonly [string, Uint8Array]> = []
    for (const [name, value] of found) {
      const key = name.slice(1)
      const bytes = await this.load(key, value)
      if (bytes !== undefined) entries.push([key, bytes])
    }
    return entries
  }

  async close(): Promise<void> {
    this.closed = true
    await this.writing
    await this.index.close()
  }

  private mustBeOpen(): void {
    if (this.closed) throw new PlaxtonError('StoreError', 'ERR_STORE', 'the store is closed')
  }

  /** A file that is gone was replaced or erased since its name was read: look again. */
  private async load(key: string, value: Uint8Array): Promise<Uint8Array | undefined> {
    if (value[0] === inline) return plain(value, 1)
    try {
      return plain(await readFile(join(this.files, fileName(value))), 0)
    } catch (error) {
      if (causeOf(error).code !== 'ENOENT') throw error
      const now = await this.index.get(`d${key}`)
      if (now !== undefined && now[0] === inFile && fileName(now) === fileName(value)) throw error
      return now && this.load(key, now)
    }
  }

  private async writeGroups(): Promise<void> {
    while (this.pending.length > 0) {
      const group = this.takeGroup()
      try {
        await this.writeGroup(group)
        for (const { done } of group) done()
      } catch (error) {
        for (const { failed } of group) failed(error)
      }
    }
    this.writing = undefined
  }

  private takeGroup(): PendingWrite[] {
    let bytes = 0
    let count = 0
    while (count < this.pending.length && (count === 0 || bytes < groupBytes)) bytes += this.pending[count++]!.bytes
    return this.pending.splice(0, count)
  }

  private async writeGroup(group: PendingWrite[]): Promise<void> {
    // The last value for a key is the one that stays; what it replaces in the same group needs no file.
    const values = new Map(group.flatMap(({ entries }) => entries))
    const keys = [...values.keys()].map((key) => `d${key}`)
    const replaced = (await this.index.getMany(keys)).filter((value) => value?.[0] === inFile).map((value) => fileName(value!))

    const batch: Operation[] = replaced.map((file) => ({ type: 'del', key: `f${file}` }))
    const newFiles: Array<Promise<void>> = []
    for (const [key, bytes] of values) {
      if (bytes === undefined) {
        batch.push({ type: 'del', key: `d${key}` })
      } else if (bytes.length <= inlineLimit) {
        batch.push({ type: 'put', key: `d${key}`, value: tagged(inline, bytes) })
      } else {
        const file = crypto.randomUUID()
        newFiles.push(writeSynced(join(this.files, file), bytes))
        batch.push({ type: 'put', key: `d${key}`, value: tagged(inFile, new TextEncoder().encode(file)) })
        batch.push({ type: 'put', key: `f${file}`, value: new Uint8Array(0) })
      }
    }
    if (newFiles.length > 0) {
      await Promise.all(newFiles)
      await syncDirectory(this.files)
    }
    await this.index.batch(batch, { sync: true })
    await Promise.all(replaced.map((file) => unlink(join(this.files, file)).catch(() => {})))
  }
}

type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const value = new Uint8Array(bytes.length + 1)
  value[0] = tag
  value.set(bytes, 1)
  return value
}

/** Not a Buffer, whose `slice` does not copy. */
function plain(bytes: Uint8Array, from: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, bytes.length - from)
}

function fileName(value: Uint8Array): string {
  return new TextDecoder().decode(value.subarray(1))
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Makes the names of new files durable. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Files of writes that a crash cut short. */
async function removeStrayFiles(index: Index, files: string): Promise<void> {
  const used = new Set((await index.keys({ gte: 'f', lt: 'g' }).all()).map((key) => key.slice(1)))
  for (const file of await readdir(files)) {
    if (!used.has(file)) await unlink(join(files, file))
  }
}

/** LevelDB's errors say what happened in their cause. */
function causeOf(error: unknown): { code?: string | undefined; message: string } {
  if (!(error instanceof Error)) return { message: String(error) }
  return error.cause instanceof Error ? causeOf(error.cause) : error
}
