import { formatBytes, formatDuration, widthOf } from './format.ts'

/** Pause between two drawings, in milliseconds: ten a second look fluent and cost nothing. */
const drawEveryMs = 100

/** A command that ends within this time shows no progress at all. */
const quietMs = 200

const barWidth = 24

/** How far something is. */
export interface Progress {
  readonly label: string
  readonly done: number
  /** Undefined when it is not known; then there is no bar. */
  readonly total: number | undefined
  readonly unit: 'bytes' | 'count'
}

/** One line on a terminal that is drawn again and again, and gone at the end. Without a terminal it draws nothing. */
export class ProgressLine {
  private readonly stream: NodeJS.WriteStream | undefined
  private readonly prefix: string
  private readonly startedAt = performance.now()
  private drawnAt = 0
  private shown = false

  constructor(stream: NodeJS.WriteStream | undefined, prefix = '') {
    this.prefix = prefix
    this.stream = stream?.isTTY === true ? stream : undefined
  }

  show(progress: Progress): void {
    const now = performance.now()
    if (this.stream === undefined || now - this.startedAt < quietMs || now - this.drawnAt < drawEveryMs) return
    this.drawnAt = now
    this.shown = true
    const line = drawn(progress, now - this.startedAt)
    const room = (this.stream.columns ?? 80) - 1 - widthOf(this.prefix)
    this.stream.write(`\r\u001b[2K${this.prefix}${line.slice(0, room)}`)
  }

  clear(): void {
    if (this.shown) this.stream?.write('\r\u001b[2K')
    this.shown = false
  }
}

function drawn({ label, done, total, unit }: Progress, elapsedMs: number): string {
  const amount = (value: number): string => (unit === 'bytes' ? formatBytes(value) : value.toLocaleString('en-US'))
  if (total === undefined || total === 0) return `${label}  ${amount(done)}  ${formatDuration(elapsedMs)}`
  const share = Math.min(1, done / total)
  const filled = Math.round(share * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  return `${label}  ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${amount(done)} of ${amount(total)}  ${formatDuration(elapsedMs)}`
}
