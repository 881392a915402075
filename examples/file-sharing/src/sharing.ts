import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
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

/** The files in `folder`, those of its folders not among them. */
export async function readFolder(folder: string): Promise<SharedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name)
  return Promise.all(names.slice(0, mostFiles).map((name) => sharedFile(folder, name)))
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

/** Text that came from elsewhere, without what a terminal might obey. */
export function printable(text: string): string {
  return text.slice(0, 120).replaceAll(/\p{Cc}/gu, '\ufffd')
}
