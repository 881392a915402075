import type { FuzzRun, OverlayName, ScenarioResult, Violation } from '@plaxton/simulator'

/** A run in which a check failed, with the one line that repeats it. */
export function renderRun({ seed, violations, shrunk }: FuzzRun, overlay: OverlayName): string {
  return [
    `seed ${seed}:`,
    ...violations.map(renderViolation),
    ...(shrunk === undefined
      ? []
      : [
          `  ${shrunk.events} of ${shrunk.drawn} events are enough: ${shrunk.violation.check}. Repeat with`,
          `  npm run lab -- fuzz --overlay ${overlay} --replay '${shrunk.scenario}'`,
        ]),
  ].join('\n')
}

/** What replaying a scenario came to. */
export function renderReplay({ violations, messages, virtualMs, traceHash }: ScenarioResult, overlay: OverlayName): string {
  const verdict = violations.total === 0 ? 'no check failed' : `${violations.total} VIOLATIONS`
  const seconds = Math.round(virtualMs / 1000)
  return [
    `${overlay}: ${verdict}; ${messages} messages in ${seconds} virtual s; trace ${traceHash}`,
    ...violations.kept.map(renderViolation),
  ].join('\n')
}

export function renderTotal(runs: readonly FuzzRun[], overlay: OverlayName, nodes: number): string {
  const failed = runs.filter(({ violations }) => violations.length > 0).length
  const messages = runs.reduce((sum, run) => sum + run.messages, 0)
  return (
    `${overlay}, 2 to ${nodes} nodes at the beginning: ${runs.length} runs, seeds ${runs[0]?.seed} to ${runs.at(-1)?.seed}, ` +
    `${messages} messages; ${failed} failed`
  )
}

function renderViolation({ check, at, detail }: Violation): string {
  return `  at ${at} ms, ${check}: ${detail.length > longest ? `${detail.slice(0, longest)}…` : detail}`
}

/** Characters of a violation that are printed: a stack trace is longer. */
const longest = 600
