import { AssertionError } from 'node:assert/strict'

/** One sentence that holds for whatever conforms. `run` throws or rejects when it does not. */
export interface Case {
  readonly title: string
  readonly run: () => void | Promise<void>
}

/** Cases that belong together, run one after the other; `before` and `after` enclose them. */
export interface Suite {
  readonly title: string
  readonly before?: () => void | Promise<void>
  readonly after?: () => void | Promise<void>
  readonly cases?: readonly Case[]
  readonly suites?: readonly Suite[]
}

/**
 * The functions of a test runner that the suites call. The globals of mocha, Jest and Vitest are found by themselves; those of `node:test`, and of Vitest
 * without globals, are given as the option `runner`.
 */
export interface Runner {
  describe(title: string, body: () => void): unknown
  it(title: string, body: (this: unknown) => Promise<void>, timeoutMs?: number): unknown
  before(hook: (this: unknown) => Promise<void>, timeoutMs?: number): unknown
  after(hook: (this: unknown) => Promise<void>, timeoutMs?: number): unknown
}

/** A case that did not hold. */
export interface Failure {
  /** The titles from the outside in. */
  readonly title: string
  readonly error: Error
}

/** Longest time for one case. Cases have limits of their own that end them earlier and say what was waited for. */
const caseMs = 120_000

/** Hands the suite to the test runner. */
export function register(suite: Suite, runner: Runner = globalRunner()): void {
  const { title, before, after, cases = [], suites = [] } = suite
  const patient = (run: () => void | Promise<void>) =>
    async function (this: unknown): Promise<void> {
      // Mocha takes a time limit by way of `this`, the others as the last argument.
      ;(this as { timeout?: (ms: number) => void } | undefined)?.timeout?.(caseMs)
      await run()
    }
  runner.describe(title, () => {
    if (before !== undefined) runner.before(patient(before), caseMs)
    if (after !== undefined) runner.after(patient(after), caseMs)
    for (const each of cases) runner.it(each.title, patient(each.run), caseMs)
    for (const inner of suites) register(inner, runner)
  })
}

/** Runs the suite here and now, without a test runner, and returns what did not hold: for testing tests, and for scripts. */
export async function failuresOf(suite: Suite, options: { readonly onCase?: (title: string) => void } = {}): Promise<Failure[]> {
  const failures: Failure[] = []
  const attempt = async (title: string, run: (() => void | Promise<void>) | undefined): Promise<boolean> => {
    try {
      await run?.()
      return true
    } catch (error) {
      failures.push({ title, error: error instanceof Error ? error : new Error(String(error)) })
      return false
    }
  }
  const visit = async ({ title, before, after, cases = [], suites = [] }: Suite, outer: string): Promise<void> => {
    const path = outer === '' ? title : `${outer}: ${title}`
    if (await attempt(`${path}: before`, before)) {
      for (const each of cases) {
        options.onCase?.(`${path}: ${each.title}`)
        await attempt(`${path}: ${each.title}`, each.run)
      }
      for (const inner of suites) await visit(inner, path)
    }
    await attempt(`${path}: after`, after)
  }
  await visit(suite, '')
  return failures
}

/** The suite with only those cases whose title contains `words`. */
export function only(words: string, suite: Suite): Suite {
  const { cases = [], suites = [], ...rest } = suite
  return {
    ...rest,
    cases: cases.filter(({ title }) => title.includes(words)),
    suites: suites.map((inner) => only(words, inner)).filter((inner) => inner.cases!.length + inner.suites!.length > 0),
  }
}

/** A case that says what something does not do, so that nobody takes a missing test for a passed one; `proof` shows that it is true. */
export function declares(what: string, proof: () => void | Promise<void> = () => {}): Case {
  return { title: `declares: ${what}`, run: proof }
}

/** `error` with a line before and after its message; its assertion's values stay, for runners that print a difference. */
export function framed(error: unknown, before: string, after: string): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  const message = `${before}${cause.message}\n${after}`
  if (!(cause instanceof AssertionError)) return new Error(message, { cause })
  const { actual, expected, operator } = cause
  return Object.assign(new AssertionError({ message, actual, expected, operator }), { cause })
}

function globalRunner(): Runner {
  const { describe, it, before, after, beforeAll, afterAll } = globalThis as unknown as Partial<
    Runner & { beforeAll: Runner['before']; afterAll: Runner['after'] }
  >
  const [first, last] = [before ?? beforeAll, after ?? afterAll]
  if (describe === undefined || it === undefined || first === undefined || last === undefined) {
    throw new Error('no test runner: there are no global describe, it, before and after; give them as the option `runner`')
  }
  return { describe, it, before: first, after: last }
}
