import type { OverlayUnderTest } from '../overlays.ts'
import type { Violation, Violations } from '../violations.ts'
import { drawScenario } from './draw.ts'
import { runScenario } from './run.ts'
import type { ScenarioResult } from './run.ts'
import { printScenario } from './scenario.ts'
import type { Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'

/** What one seed came to. */
export interface FuzzRun {
  readonly seed: number
  readonly messages: number
  readonly traceHash: string
  /** The first violation of each check that found something, in the order of their times. */
  readonly violations: readonly Violation[]
  /** Set when there are any. */
  readonly shrunk?: Shrunk
}

/** The smallest scenario found that fails the same check as the drawn one did first. */
export interface Shrunk {
  /** For `--replay`; see `printScenario`. */
  readonly scenario: string
  readonly events: number
  /** Of how many that were drawn. */
  readonly drawn: number
  readonly violation: Violation
}

/** Draws the scenario of this seed and runs it; when a check finds something, looks for a smaller one that fails likewise, running at most `tries` more. */
export function fuzz(
  seed: number,
  options: { readonly subject: OverlayUnderTest; readonly nodes: number; readonly tries: number },
): FuzzRun {
  const { subject, nodes, tries } = options
  const scenario = drawScenario(seed, nodes)
  const { violations, messages, traceHash } = runScenario(scenario, subject)
  const found = firstOfEach(violations)
  if (found.length === 0 || tries === 0) return { seed, messages, traceHash, violations: found }
  return { seed, messages, traceHash, violations: found, shrunk: smaller(scenario, found[0]!, subject, tries) }
}

function smaller(scenario: Scenario, first: Violation, subject: OverlayUnderTest, tries: number): Shrunk {
  const likewise = ({ violations }: ScenarioResult) => violations.kept.find((violation) => kindOf(violation) === kindOf(first))
  let violation = first
  let messages = 0
  const fails = (candidate: Scenario): boolean => {
    if (messages > mostMessages) return false
    const result = runScenario(candidate, subject)
    messages += result.messages
    const found = likewise(result)
    violation = found ?? violation
    return found !== undefined
  }
  const small = shrink(scenario, fails, tries)
  return { scenario: printScenario(small), events: small.events.length, drawn: scenario.events.length, violation }
}

/** The check; and of what a core threw, the words without ids, times and other numbers. */
function kindOf({ check, detail }: Violation): string {
  return check === 'no core throws' ? detail.split('\n', 1)[0]!.replace(/[0-9a-f]*\d[0-9a-f]*/g, '#') : check
}

function firstOfEach(violations: Violations): Violation[] {
  return [...violations.byCheck().keys()].map((check) => violations.kept.find((violation) => violation.check === check)!)
}

/** Messages handled in all runs that make one failure smaller, after which the smallest so far has to do: minutes. Counted, not timed, so that the same seed comes to the same. */
const mostMessages = 3_000_000
