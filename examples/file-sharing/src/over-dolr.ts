import { wordsOf } from '@plaxton/central-index'
import { guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
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
const mostFileBytes = 64 * 1024 * 1024

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

  async fetch(guid: Guid, options: FetchOptions = {}): Promise<{ name: string; bytes: Uint8Array }> {
    const { offer = true, timeoutMs = 60_000, onProgress = () => {} } = options
    const { name, size } = descriptionIn(await this.ask(guid, {}, timeoutMs))
    if (size > mostFileBytes) throw new Error(`the file has ${size} bytes, at most ${mostFileBytes} are fetched`)
    const pieces: Uint8Array[] = []
    const offsets = Array.from({ length: Math.ceil(size / pieceBytes) }, (_, i) => i * pieceBytes)
    while (offsets.length > 0) {
      const batch = offsets.splice(0, piecesInFlight)
      // Each goes to the nearest host that answers; when one dies, the next piece comes from another.
      pieces.push(
        ...(await Promise.all(batch.map((offset) => this.ask(guid, { offset, length: Math.min(pieceBytes, size - offset) }, timeoutMs)))),
      )
      onProgress({ type: 'dolr:piece', detail: `${pieces.reduce((sum, piece) => sum + piece.length, 0)} of ${size} bytes` })
    }
    const bytes = new Uint8Array(Buffer.concat(pieces))
    if (guidOf(bytes) !== guid) throw new Error('what was sent is another file')
    if (offer) await this.share([{ guid, name, size, read: (offset, length) => bytes.subarray(offset, offset + length) }])
    return { name, bytes }
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
      if (!late.signal.aborted) throw error
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

  private async ask(guid: Guid, message: object, timeoutMs: number): Promise<Uint8Array> {
    return await this.dolr.sendToObj(toBytes(JSON.stringify(message)), guid, 1, { timeoutMs })
  }

  /** Without an offset: what the file is; else a piece of it. Messages come from anybody; what this throws refuses them. */
  private async onFileMessage(guid: Guid, message: Uint8Array): Promise<Uint8Array> {
    const { name, size, read } = this.files.get(guid)!
    const { offset, length } = JSON.parse(fromBytes(message)) as { offset?: unknown; length?: unknown }
    if (offset === undefined) return toBytes(JSON.stringify({ name, size }))
    if (!isWhole(offset) || !isWhole(length) || offset + length > size || length > pieceBytes) throw new Error('there is no such piece')
    return read(offset, length)
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

function descriptionIn(reply: Uint8Array): { name: string; size: number } {
  const { name, size } = JSON.parse(fromBytes(reply)) as { name: unknown; size: unknown }
  if (typeof name !== 'string' || !isWhole(size)) throw new Error('a host describes the file as something else')
  return { name, size }
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
