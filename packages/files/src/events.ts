import type { ProgressEvent } from '@plaxton/kbr'

/** One step of a call on files: what happened, and how far the call is. */
export interface FilesEvent extends ProgressEvent {
  readonly type: 'files:block-stored' | 'files:block-read' | 'files:block-removed' | 'files:entry-added'
  /** Blocks so far, this one included. */
  readonly blocks: number
  /** Bytes of file content so far: stored, read, or 0 where content is not counted. */
  readonly bytes: number
}

/** Given to every call. */
export interface FilesCallOptions {
  /** Ends the call with the signal's reason. Blocks already stored or removed stay so; calling again picks up where it ended. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (event: FilesEvent) => void
}

/** Counts the steps of one call and tells them. */
export class Tally {
  blocks = 0
  bytes = 0
  private readonly onProgress: FilesCallOptions['onProgress']

  constructor(options: FilesCallOptions) {
    this.onProgress = options.onProgress
  }

  block(type: FilesEvent['type'], bytes: number, detail: string): void {
    this.blocks++
    this.bytes += bytes
    this.tell(type, detail)
  }

  tell(type: FilesEvent['type'], detail: string): void {
    this.onProgress?.({ type, detail, blocks: this.blocks, bytes: this.bytes })
  }
}
