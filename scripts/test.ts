// npm test: every check of the repository in one run, each counted, ending with the line "N passed, N failed".
// With --coverage the specs run under c8. A spec file or glob as argument runs only that, without the other checks.

import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

/**
 * Every spec, in three processes side by side: those of whole programs and of what is packed, those that wait for sockets and clocks most of their time, and those that compute. Together
 * they take as long as the longest.
 */
const SPECS = [
  ['apps/*/test/**/*.spec.ts', 'bench/*/test/**/*.spec.ts', 'examples/*/test/**/*.spec.ts', 'test/*.spec.ts'],
  ['packages/libp2p/test/**/*.spec.ts'],
  ['packages/!(libp2p)/test/**/*.spec.ts'],
]

const MOCHA = fileURLToPath(new URL('lib/cli/cli.js', import.meta.resolve('mocha/package.json')))

/** How long the test process may linger after its last test. Longer means that something was left open. */
const LINGER_MS = 10_000

/** The longest that one check may take: a spec that never ends must not hold CI until CI's own limit. */
const LIMIT_MS = 20 * 60_000

/** From asking a process to end to ending it. */
const KILL_AFTER_MS = 2_000

interface Tally {
  passed: number
  failed: number
  skipped: number
  /** What failed, as it was told: said once more at the very end, for thousands of lines lie between. */
  failures: string[]
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { coverage: { type: 'boolean', default: false } } })
process.env['TURBO_TELEMETRY_DISABLED'] = '1'

const total: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }
if (positionals.length === 0 && !values.coverage) {
  const [programs, ...sources] = SPECS
  const checked = checks()
  // Whole programs and packages are built first; other specs run from the sources, and need not wait.
  const running = [checked.then(() => specs(programs!, false))]
  for (const patterns of sources) running.push(specs(patterns, false, running.at(-1)))
  for (const tally of [checked, ...running]) add(await tally)
} else add(await specs(positionals.length === 0 ? SPECS.flat() : positionals, values.coverage))

const skipped = total.skipped === 0 ? '' : `, ${total.skipped} skipped`
for (const failure of total.failures) console.log(`\n${failure.trimEnd()}`)
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed === 0 ? 0 : 1

function add(tally: Tally): void {
  total.passed += tally.passed
  total.failed += tally.failed
  total.skipped += tally.skipped
  total.failures.push(...tally.failures)
}

/** Everything but specs, one after the other. */
async function checks(): Promise<Tally> {
  const sum: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] }
  for (const [title, command, ...args] of [
    ['types and build', 'turbo', 'run', 'build', '--output-logs=errors-only'],
    ['types of tests and scripts at the root', 'tsc', '-b'],
    ['lint', 'oxlint', '--deny-warnings'],
    ['format, which npm run format mends', 'oxfmt', '--check'],
    ['unused files, exports and dependencies', 'knip', '--no-progress', '--no-config-hints'],
  ] as const) {
    const failure = await check(title, command, args)
    if (failure === undefined) sum.passed++
    else {
      sum.failed++
      sum.failures.push(failure)
    }
  }
  return sum
}

/** One command that must end with status 0; what it printed when it did not. */
async function check(title: string, command: string, args: readonly string[]): Promise<string | undefined> {
  console.log(`\n— ${title}: ${command} ${args.join(' ')}`)
  const started = performance.now()
  const { status, output } = await run(command, args, inTurn(undefined))
  console.log(`  ${status === 0 ? 'passed' : `FAILED with status ${status}`} in ${seconds(started)}`)
  return status === 0 ? undefined : `  ${title}: ${command} ended with status ${status}\n${output}`
}

/** Specs in one mocha process, counted from its closing lines. What they print is kept back until `turn` has come. */
async function specs(patterns: string[], coverage: boolean, turn?: Promise<unknown>): Promise<Tally> {
  const files = globSync(patterns).toSorted()
  // mocha's inner program, because its outer one would start this as a child that a signal does not reach.
  const mocha = ['--conditions=plaxton-source', MOCHA, '--forbid-only', ...(process.stdout.isTTY ? ['--color'] : []), ...files]
  const say = inTurn(turn)
  say(`\n— specs: ${files.length} files\n`)
  if (files.length === 0) return broken('no spec matches')
  const started = performance.now()
  const closing = /^ {2}\d+ (?:passing \(|pending|failing)/m
  const { status, output } = coverage ? await run('c8', ['node', ...mocha], say, closing) : await run('node', mocha, say, closing)
  say(`  specs took ${seconds(started)}\n`)

  const tally = { passed: count(output, 'passing'), failed: count(output, 'failing'), skipped: count(output, 'pending') }
  if (tally.passed + tally.failed === 0) return broken('no test ran')
  if (tally.failed > 0) return { ...tally, failures: [output.slice(output.search(/^ {2}\d+ failing/m))] }
  if (status === 0) return { ...tally, failures: [] }
  const { failed, failures } = broken(`the test process ended with status ${status} although no test failed: ${patterns.join(' ')}`)
  return { ...tally, failed, failures }
}

function broken(why: string): Tally {
  return { passed: 0, failed: 1, skipped: 0, failures: [`  ${why}`] }
}

type Say = (text: string) => void

/** Prints; what comes before `turn`, then. */
function inTurn(turn: Promise<unknown> | undefined): Say {
  let kept: string[] | undefined = turn === undefined ? undefined : []
  void turn?.finally(() => {
    for (const text of kept!) process.stdout.write(text)
    kept = undefined
  })
  return (text) => void (kept === undefined ? process.stdout.write(text) : kept.push(text))
}

/** mocha's own total: the last line such as "  12 passing (3s)". */
function count(output: string, word: 'passing' | 'failing' | 'pending'): number {
  const lines = [...output.matchAll(new RegExp(`^ {2}(\\d+) ${word}`, 'gm'))]
  return Number(lines.at(-1)?.[1] ?? 0)
}

interface Run {
  status: number
  /** Standard output without colours. */
  output: string
}

/** Runs a command, passes on what it prints, and ends it when it outstays `lingerAfter` or LIMIT_MS. */
function run(command: string, args: readonly string[], say: Say, lingerAfter?: RegExp): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    let stopped = false
    const stop = (why: string): void => {
      stopped = true
      say(`  ${why}\n`)
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref()
    }
    const limit = setTimeout(stop, LIMIT_MS, `stopped: not done after ${LIMIT_MS / 60_000} minutes`)
    let linger: NodeJS.Timeout | undefined

    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      say(text)
      output += stripVTControlCharacters(text)
      if (lingerAfter?.test(output) === true) {
        linger ??= setTimeout(stop, LINGER_MS, `stopped: ${LINGER_MS / 1000} s after the last test something still kept the process alive`)
      }
    })
    const settle = (code: number | null): void => {
      clearTimeout(limit)
      clearTimeout(linger)
      resolve({ status: stopped ? 1 : (code ?? 1), output })
    }
    child.on('error', (error) => {
      console.log(`  ${error.message}`)
      settle(1)
    })
    child.on('close', settle)
    // A process that a test left behind holds the pipe open, and 'close' never comes.
    child.on('exit', (code) => setTimeout(settle, KILL_AFTER_MS, code).unref())
  })
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`
}
