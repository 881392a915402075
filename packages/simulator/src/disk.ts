import { unreachable } from '@plaxton/kbr'
import type { Answer, Prng, Question, StoreEntry } from '@plaxton/kbr'

/** Questions a disk answers. */
export type DiskQuestion = Extract<Question, { kind: 'read' | 'write' | 'list' }>

/** Told about every entry that became durable or was erased. */
export type DiskObserver = (key: string, bytes: Uint8Array | undefined) => void

/**
 * One host's disk: entries by key. Questions are answered in the order they were asked; a write counts from its answer on. It outlives the
 * process, unless the crash takes it along.
 */
export class Disk {
  /** Undefined until the first: most simulated nodes store nothing. */
  private entries: Map<string, Uint8Array> | undefined = undefined
  /** Entries of the writes that were asked for and not yet answered, oldest first. The core bounds how many it starts. */
  private pending: readonly StoreEntry[] = none
  private readonly observer: DiskObserver | undefined

  constructor(observer?: DiskObserver) {
    this.observer = observer
  }

  /** The question was asked; its answer is due later. */
  ask(question: DiskQuestion): void {
    if (question.kind === 'write') this.pending = this.pending.concat(question.entries)
  }

  /** The answer is due: does what was asked. */
  answer(question: DiskQuestion): Answer {
    switch (question.kind) {
      case 'read':
        return { kind: 'read', bytes: this.get(question.key) }
      case 'list':
        return { kind: 'listed', entries: this.list(question.prefix) }
      case 'write':
        this.apply(question.entries.length)
        return { kind: 'written' }
      default:
        return unreachable(question)
    }
  }

  /** The process died: a random prefix of what was being written is on the disk, the rest never will be. */
  crash(prng: Prng): void {
    if (this.pending.length > 0) this.apply(prng.nextInt(this.pending.length + 1))
    this.pending = none
  }

  /** Everything is gone. */
  wipe(): void {
    this.pending = none
    for (const key of [...this.keys()]) this.set([key, undefined])
  }

  get(key: string): Uint8Array | undefined {
    return this.entries?.get(key)
  }

  keys(): Iterable<string> {
    return this.entries?.keys() ?? []
  }

  private list(prefix: string): Array<[string, Uint8Array]> {
    const found = [...(this.entries ?? [])].filter(([key]) => key.startsWith(prefix))
    return found.sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Makes the oldest `count` pending entries durable. */
  private apply(count: number): void {
    const durable = this.pending.slice(0, count)
    this.pending = this.pending.slice(count)
    for (const entry of durable) this.set(entry)
  }

  private set([key, bytes]: StoreEntry): void {
    if (bytes === undefined) this.entries?.delete(key)
    else (this.entries ??= new Map()).set(key, bytes)
    this.observer?.(key, bytes)
  }
}

const none: readonly StoreEntry[] = []
