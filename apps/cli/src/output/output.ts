import { styleText } from 'node:util'
import { exitCodeOf, reportOf } from '../errors.ts'
import { ProgressLine } from './progress-line.ts'
import type { ExitCode } from '../errors.ts'

/** Where a command writes. `process` fits. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/**
 * What a command says: its result on stdout, as text or as one JSON document; everything else on stderr. Progress only on a terminal.
 */
export class Output {
  readonly json: boolean
  readonly streams: Streams
  readonly progress: ProgressLine

  constructor(json: boolean, streams: Streams = process) {
    this.json = json
    this.streams = streams
    this.progress = new ProgressLine(json ? undefined : streams.stderr)
  }

  /** The result of the command: `value` as JSON, or `text` for a person. Called once. */
  result(value: unknown, text: () => string): void {
    this.progress.clear()
    const written = this.json ? JSON.stringify(value, undefined, 2) : text()
    if (written !== '') this.streams.stdout.write(`${written}\n`)
  }

  /** Something a person should know that is no result. */
  note(sentence: string): void {
    this.progress.clear()
    if (!this.json) this.streams.stderr.write(`${sentence}\n`)
  }

  /** Says what went wrong, and returns the status to end with. */
  failure(error: unknown): ExitCode {
    this.progress.clear()
    const report = reportOf(error)
    if (this.json) this.streams.stdout.write(`${JSON.stringify({ error: report }, undefined, 2)}\n`)
    this.streams.stderr.write(`${paint('red', 'plaxton:', this.streams.stderr)} ${report.message}\n`)
    return exitCodeOf(report.code)
  }
}

/** `text` in a style, where `stream` shows one: a terminal, unless NO_COLOR is set. */
export function paint(style: Parameters<typeof styleText>[0], text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}
