import { wordsOf } from '@plaxton/central-index'
import { guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import { mostFileBytes } from './sharing.ts'
import type { FoundFile } from '@plaxton/central-index'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dolr, ObjectHandler } from '@plaxton/kbr'
import type { SharedFile } from '@plaxton/runtime'
import type { FetchOptions, Sharing } from './sharing.ts'

/** Hosts of a word that are asked: as many as one message can be sent to. What only others have is not found. */
const mostHosts = 16
/** After the first of them has answered, the others have so long. */
const lateMs = 1_000
/** Files in one host's answer. */
const mostAnswers = 100
/** Words that one peer publishes. Full: files are found by their other words only. */
const mostWords = 2_000
const pieceBytes = 256 * 1024
/** Pieces asked for at once. */
const piecesInFlight = 4
/** Longest wait for one piece, and for what the nearest host says of a file; then all hosts are asked. */
const pieceMs = 10_000

/**
 * File sharing by object location alone. Each file is an object, hosted by whoever has it; each word in a name is an object too, hosted by whoever has a file with that
 * word, and answers with the files that this host has. There is no index anywhere: a search asks up to 16 hosts of one of its words.
 */
export class SharingOverDolr implements Sharing {
  private readonly dolr: Dolr
  private readonly files = new Map<Guid, SharedFile>()
  /** The words of their names. Bound: {@link mostWords}. */
  private readonly words = new Set<string>()
  /** What is published: files and words. */
  private readonly hosted = new Set<Guid>()
  /** Of files that somebody has asked for. */
  private readonly descriptions = new Map<Guid, Promise<Description>>()

  constructor(dolr: Dolr) {
    this.dolr = dolr
  }

  async share(files: readonly SharedFile[], options: CallOptions = {}): Promise<void> {
    for (const file of files) this.files.set(file.guid, file)
    for (const word of files.flatMap(({ name }) => wordsOf(name))) if (this.words.size < mostWords) this.words.add(word)
    await Promise.all([
      ...files.map(({ guid }) => this.host(guid, (message) => this.onFileMessage(guid, message), options)),
      ...[...this.words].map((word) => this.host(wordGuid(word), (message) => this.onWordMessage(message), options)),
    ])
  }

  async search(text: string): Promise<readonly FoundFile[]> {
    const words = wordsOf(text, 8)
    const counts = await Promise.all(words.map((word) => this.countHosts(word)))
    const fewest = Math.min(...counts)
    if (words.length === 0 || fewest === 0) return []
    // Whoever has a file with all of the words hosts each of them, so the one with the fewest hosts will do.
    const word = words[counts.indexOf(fewest)]!
    const found = new Map<Guid, FoundFile>()
    for (const reply of await this.askAll(wordGuid(word), toBytes(JSON.stringify(words)))) {
      for (const file of listIn(reply)) found.set(file.guid, { ...file, hosts: (found.get(file.guid)?.hosts ?? 0) + 1 })
    }
    return [...found.values()].sort((a, b) => b.hosts - a.hosts || (a.name < b.name ? -1 : 1))
  }

  /**
   * The nearest host says of which pieces the file consists, by their digests, and sends them; a piece that is another, or does not come, is asked of all hosts. When
   * the whole is not the file, what the nearest said was a lie, and what the others say is tried, each once.
   */
  async fetch(guid: Guid, options: FetchOptions = {}): Promise<{ name: string; bytes: Uint8Array }> {
    const { offer = true, timeoutMs = 60_000, onProgress = () => {} } = options
    const tried = new Set<string>()
    for (const hosts of ['nearest', 'all'] as const) {
      const replies = hosts === 'all' ? await this.askAll(guid, toBytes('{}')) : await this.askNearest(guid, {}, timeoutMs)
      for (const reply of replies) {
        const description = descriptionIn(reply)
        if (description === undefined || tried.has(description.digests.join())) continue
        tried.add(description.digests.join())
        const bytes = await this.collect(guid, description, timeoutMs, onProgress)
        if (bytes === undefined || guidOf(bytes) !== guid) continue
        const { name, size } = description
        if (offer) await this.share([{ guid, name, size, read: (offset, length) => bytes.subarray(offset, offset + length) }])
        return { name, bytes }
      }
    }
    throw new Error('none of those who host the file sent all of it')
  }

  /** All pieces of a file as it was described; undefined when nobody sends one of them. */
  private async collect(
    guid: Guid,
    { size, digests }: Description,
    timeoutMs: number,
    onProgress: NonNullable<FetchOptions['onProgress']>,
  ): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = []
    while (pieces.length < digests.length) {
      const batch = digests.slice(pieces.length, pieces.length + piecesInFlight)
      const come = await Promise.all(batch.map((digest, i) => this.piece(guid, digest, (pieces.length + i) * pieceBytes, size, timeoutMs)))
      for (const piece of come) if (piece !== undefined) pieces.push(piece)
      if (come.includes(undefined)) return undefined
      onProgress({ type: 'dolr:piece', detail: `${pieces.reduce((sum, piece) => sum + piece.length, 0)} of ${size} bytes` })
    }
    return new Uint8Array(Buffer.concat(pieces))
  }

  private async piece(guid: Guid, digest: string, offset: number, size: number, timeoutMs: number): Promise<Uint8Array | undefined> {
    const message = { offset, length: Math.min(pieceBytes, size - offset) }
    const isIt = (bytes: Uint8Array): boolean => guidOf(bytes) === digest
    const [nearest] = await this.askNearest(guid, message, timeoutMs)
    if (nearest !== undefined && isIt(nearest)) return nearest
    const all = await this.askAll(guid, toBytes(JSON.stringify(message))).catch(() => [])
    return all.find(isIt)
  }

  private async host(guid: Guid, handler: ObjectHandler, options: CallOptions): Promise<void> {
    if (this.hosted.has(guid)) return
    this.hosted.add(guid)
    try {
      await this.dolr.host(guid, handler, options)
    } catch (error) {
      this.hosted.delete(guid)
      throw error
    }
  }

  /** The answers of up to 16 hosts. Who has not answered a while after the first is not waited for: it may be dead. */
  private async askAll(guid: Guid, message: Uint8Array): Promise<Uint8Array[]> {
    const replies: Uint8Array[] = []
    const late = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    try {
      for await (const reply of this.dolr.sendToObj(message, guid, mostHosts, { signal: late.signal })) {
        replies.push(reply)
        timer ??= setTimeout(() => late.abort(), lateMs)
      }
    } catch (error) {
      if (!late.signal.aborted && replies.length === 0) throw error
    } finally {
      clearTimeout(timer)
    }
    return replies
  }

  private async countHosts(word: string): Promise<number> {
    try {
      return (await this.dolr.locate(wordGuid(word), mostHosts)).length
    } catch (error) {
      if (error instanceof NotFoundError) return 0
      throw error
    }
  }

  /** The answer of the nearest host; none when that refuses, or takes too long. Fails when there is no host. */
  private async askNearest(guid: Guid, message: object, timeoutMs: number): Promise<Uint8Array[]> {
    try {
      return [await this.dolr.sendToObj(toBytes(JSON.stringify(message)), guid, 1, { timeoutMs: Math.min(timeoutMs, pieceMs) })]
    } catch (error) {
      if (error instanceof NotFoundError) throw error
      return []
    }
  }

  /** Without an offset: what the file is; else a piece of it. Messages come from anybody; what this throws refuses them. */
  private async onFileMessage(guid: Guid, message: Uint8Array): Promise<Uint8Array> {
    const { size, read } = this.files.get(guid)!
    const { offset, length } = JSON.parse(fromBytes(message)) as { offset?: unknown; length?: unknown }
    if (offset === undefined) return toBytes(JSON.stringify(await this.describe(guid)))
    if (!isWhole(offset) || !isWhole(length) || offset + length > size || length > pieceBytes) throw new Error('there is no such piece')
    return read(offset, length)
  }

  private describe(guid: Guid): Promise<Description> {
    const known = this.descriptions.get(guid)
    if (known !== undefined) return known
    const description = describe(this.files.get(guid)!)
    this.descriptions.set(guid, description)
    // A file that could not be read may be readable again.
    description.catch(() => this.descriptions.delete(guid))
    return description
  }

  private onWordMessage(message: Uint8Array): Uint8Array {
    return toBytes(JSON.stringify(this.matches(queryIn(message))))
  }

  private matches(words: readonly string[]): Array<Pick<FoundFile, 'guid' | 'name' | 'size'>> {
    const all = [...this.files.values()].filter(({ name }) => {
      const own = wordsOf(name)
      return words.every((word) => own.includes(word))
    })
    return all.slice(0, mostAnswers).map(({ guid, name, size }) => ({ guid, name, size }))
  }
}

/** The object that a word is. */
function wordGuid(word: string): Guid {
  return guidOf(toBytes(`word:${word}`))
}

function queryIn(message: Uint8Array): string[] {
  const words = JSON.parse(fromBytes(message)) as unknown
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) throw new Error('a query is a list of words')
  return words.slice(0, 8)
}

/** A host may say anything: what is no list of files is left out. */
function listIn(reply: Uint8Array): FoundFile[] {
  try {
    const files = JSON.parse(fromBytes(reply)) as FoundFile[]
    return files
      .slice(0, mostAnswers)
      .filter(({ guid, name, size }) => /^[0-9a-f]{64}$/.test(guid) && typeof name === 'string' && isWhole(size))
  } catch {
    return []
  }
}

/** What a host says of a file. Any of it may be a lie until the whole has been verified. */
interface Description {
  readonly name: string
  readonly size: number
  /** SHA-256 of each piece. */
  readonly digests: readonly string[]
}

async function describe({ name, size, read }: SharedFile): Promise<Description> {
  const digests: string[] = []
  for (let offset = 0; offset < size; offset += pieceBytes) digests.push(guidOf(await read(offset, Math.min(pieceBytes, size - offset))))
  return { name, size, digests }
}

/** undefined for what describes no file that may be fetched. */
function descriptionIn(reply: Uint8Array): Description | undefined {
  try {
    const { name, size, digests } = JSON.parse(fromBytes(reply)) as Record<keyof Description, unknown>
    if (typeof name !== 'string' || !isWhole(size) || size > mostFileBytes) return undefined
    if (!Array.isArray(digests) || digests.length !== Math.ceil(size / pieceBytes)) return undefined
    return digests.every((digest) => /^[0-9a-f]{64}$/.test(digest)) ? { name, size, digests: digests as string[] } : undefined
  } catch {
    return undefined
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function fromBytes(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
