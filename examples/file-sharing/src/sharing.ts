import { open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { guidOf } from '@plaxton/guid'
import type { FoundFile } from '@plaxton/central-index'
import type { Guid } from '@plaxton/guid'
import type { SharedFile } from '@plaxton/runtime'

/** All that the program asks of what is below it: a client of the central index is one already, `over-dolr.ts` makes one of any overlay. */
export interface Sharing {
  /** Offers these files from now on. */
  share(files: readonly SharedFile[], options?: { readonly timeoutMs?: number }): Promise<void>
  /** Files whose names have all of the words, those with the most hosts first. */
  search(text: string): Promise<readonly FoundFile[]>
  /** A file, verified; offered here too from then on, unless told otherwise. */
  fetch(guid: Guid, options?: FetchOptions): Promise<{ readonly name: string; readonly bytes: Uint8Array }>
}

export interface FetchOptions {
  readonly offer?: boolean
  readonly timeoutMs?: number
  readonly onProgress?: (step: { readonly type: string; readonly detail: string }) => void
}

/** Files of a folder that are offered. Further ones are left out. */
const mostFiles = 200
/** Longest file that is offered, as nobody fetches a longer one. A longer one is left out. */
export const mostFileBytes = 64 * 1024 * 1024

/** The files in `folder`, those of its folders not among them. */
export async function readFolder(folder: string): Promise<SharedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files: SharedFile[] = []
  // One after the other: each is in memory while it is digested.
  for (const entry of entries) {
    if (files.length === mostFiles) break
    if (!entry.isFile() || entry.name.startsWith('.')) continue
    if ((await stat(join(folder, entry.name))).size <= mostFileBytes) files.push(await sharedFile(folder, entry.name))
  }
  return files
}

async function sharedFile(folder: string, name: string): Promise<SharedFile> {
  const path = join(folder, name)
  const bytes = await readFile(path)
  return { guid: guidOf(bytes), name, size: bytes.length, read: (offset, length) => readPiece(path, offset, length) }
}

async function readPiece(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const piece = new Uint8Array(length)
    const { bytesRead } = await file.read(piece, 0, length, offset)
    return piece.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Text that came from elsewhere, without what a terminal might obey and what turns the direction of writing around. */
export function printable(text: string): string {
  return text.slice(0, 120).replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd')
}

/** Under which a file of this name is kept. A name comes from anybody: what it says of folders does not count, nor does it hide the file. */
export function fileNameOf(name: string): string {
  return basename(printable(name).replaceAll('\\', '/')).replace(/^\.+/, '') || 'unnamed'
}
