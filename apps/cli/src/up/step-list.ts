import { formatDuration, widthOf } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { ProgressLine } from '../output/progress-line.ts'
import type { Progress } from '../output/progress-line.ts'
import type { Output } from '../output/output.ts'

/** What a step tells when it has held. */
export interface Held {
  /** One line: what was done, with its figures. */
  readonly title: string
  /** Further lines. */
  readonly details?: readonly string[]
  /** It was left out, because here it makes no sense. */
  readonly skipped?: boolean
}

/** One step as `--json` prints it. */
export interface StepReport {
  readonly name: string
  readonly outcome: 'held' | 'skipped' | 'failed'
  readonly title: string
  readonly details: readonly string[]
  readonly elapsedMs: number
}

/** A step did not hold; `step` names it. */
export class StepFailedError extends Error {
  override readonly name = 'StepFailedError'
  readonly code = 'ERR_STEP_FAILED'
  readonly step: string

  constructor(step: string, cause: unknown) {
    super(`the step "${step}" failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.step = step
  }
}

/** Column in which the times end. */
const width = 78

/** Tells the steps of a job as they happen: a line that moves on a terminal, and a finished one for each. */
export class StepList {
  readonly reports: StepReport[] = []
  private readonly output: Output
  private readonly startedAt = performance.now()

  constructor(output: Output) {
    this.output = output
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAt
  }

  /** Runs a step; its `show` draws how far it is. What it throws becomes a {@link StepFailedError}, unless `signal` caused it. */
  async run(name: string, signal: AbortSignal, step: (show: (progress: Progress) => void) => Promise<Held>): Promise<void> {
    signal.throwIfAborted()
    const startedAt = performance.now()
    const line = new ProgressLine(
      this.output.json ? undefined : this.output.streams.stdout,
      `  ${paint('cyan', '›', this.output.streams.stdout)}  `,
    )
    const elapsed = (): number => Math.round(performance.now() - startedAt)
    try {
      const { title, details = [], skipped = false } = await step((progress) => line.show(progress))
      line.clear()
      this.tell({ name, outcome: skipped ? 'skipped' : 'held', title, details, elapsedMs: elapsed() })
    } catch (error) {
      line.clear()
      signal.throwIfAborted()
      const title = error instanceof Error ? error.message : String(error)
      this.tell({ name, outcome: 'failed', title: `${name}: ${title}`, details: [], elapsedMs: elapsed() })
      throw new StepFailedError(name, error)
    }
  }

  private tell(report: StepReport): void {
    this.reports.push(report)
    if (this.output.json) return
    const { stdout } = this.output.streams
    const { outcome, title, details, elapsedMs } = report
    const time = outcome === 'skipped' ? '' : formatDuration(elapsedMs)
    const gap = ' '.repeat(Math.max(2, width - 5 - widthOf(title) - time.length))
    stdout.write(`  ${marks(stdout)[outcome]}  ${title}${gap}${paint('dim', time, stdout)}`.trimEnd())
    for (const detail of details) stdout.write(`\n     ${paint('dim', detail, stdout)}`)
    stdout.write('\n')
  }
}

function marks(stream: NodeJS.WriteStream): Record<StepReport['outcome'], string> {
  return { held: paint('green', '✓', stream), skipped: paint('dim', '–', stream), failed: paint('red', '✗', stream) }
}
