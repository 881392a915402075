import { fuzz, outputOf, overlays, parseLines, parseScenario, runScenario, sideBySide } from '@plaxton/simulator'
import type { FuzzRun, OverlayName } from '@plaxton/simulator'
import { InvalidValueError } from '@plaxton/kbr'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { UsageError, oneOf, overlayNames, wholeNumber } from '../options.ts'
import { renderReplay, renderRun, renderTotal } from './render.ts'

/** `fuzz`: looks for scenarios in which a check fails, or replays one. Returns whether no check failed. */
export async function fuzzCommand(args: readonly string[], { stdout, stderr }: Streams): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      overlay: { type: 'string', default: 'pastry' },
      minutes: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string' },
      nodes: { type: 'string' },
      jobs: { type: 'string' },
      replay: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const overlay = oneOf('overlay', values.overlay, overlayNames(undefined))
  if (values.replay !== undefined) return replay(overlay, values.replay, values.json, stdout)

  const nodes = wholeNumber('nodes', values.nodes, mostNodes, 2)
  const jobs = wholeNumber('jobs', values.jobs, 1, 1)
  const first = wholeNumber('seed', values.seed, 1, 0)
  const most = values.runs === undefined ? Infinity : wholeNumber('runs', values.runs, 1, 1)
  const minutes = values.runs !== undefined && values.minutes === undefined ? Infinity : wholeNumber('minutes', values.minutes, 1, 1)
  const started = performance.now()
  const minutesSoFar = () => (performance.now() - started) / 60_000
  const runs: FuzzRun[] = []
  const failed = () => runs.filter(({ violations }) => violations.length > 0)
  const erase = stderr.isTTY === true ? '\r\x1b[K' : ''
  const onRun = (run: FuzzRun): boolean => {
    runs.push(run)
    if (values.json) stdout.write(`${JSON.stringify(run)}\n`)
    else if (run.violations.length > 0) stdout.write(`${erase}${renderRun(run, overlay)}\n`)
    if (erase !== '') stderr.write(`${erase}${runs.length} runs, ${failed().length} failed, ${minutesSoFar().toFixed(1)} min`)
    return true
  }
  if (jobs > 1) {
    const pieces = seedsWhile(() => minutesSoFar() < minutes, first, most, runsPerProcess)
    await sideBySide(
      pieces,
      jobs,
      (seeds) => runsInProcess(seeds, overlay, nodes),
      (some) => some.every(onRun),
    )
  } else
    for (const [seed] of seedsWhile(() => minutesSoFar() < minutes, first, most, 1))
      onRun(fuzz(seed!, { subject: overlays[overlay](), nodes, tries }))
  stderr.write(erase)
  if (!values.json) stdout.write(`${renderTotal(runs, overlay, nodes)}\n`)
  return failed().length === 0
}

/** Pieces of up to `size` seeds, `most` in all, as long as `goOn`. */
function* seedsWhile(goOn: () => boolean, first: number, most: number, size: number): Generator<readonly number[]> {
  for (let done = 0; done < most && goOn(); done += size)
    yield Array.from({ length: Math.min(size, most - done) }, (_, i) => first + done + i)
}

async function runsInProcess(seeds: readonly number[], overlay: OverlayName, nodes: number): Promise<FuzzRun[]> {
  const args = ['fuzz', '--overlay', overlay, '--nodes', `${nodes}`, '--seed', `${seeds[0]}`, '--runs', `${seeds.length}`, '--json']
  return parseLines<FuzzRun>((await outputOf(mainScript, args)).stdout)
}

function replay(overlay: OverlayName, text: string, json: boolean, stdout: Streams['stdout']): boolean {
  const result = runScenario(readScenario(text), overlays[overlay]())
  stdout.write(json ? `${JSON.stringify(result)}\n` : `${renderReplay(result, overlay)}\n`)
  return result.violations.total === 0
}

function readScenario(text: string) {
  try {
    return parseScenario(text)
  } catch (error) {
    if (error instanceof InvalidValueError) throw new UsageError(`--replay: ${error.message}`)
    throw error
  }
}

/** Hosts at the beginning, at most: as many steps as there are, each with a look at the invariants. */
const mostNodes = 16
/** Runs to make one failure smaller; a list of some hundred events comes down to a handful in about so many. */
const tries = 300
/** Runs that a process makes before the next begins: starting one costs about as much as one run. */
const runsPerProcess = 10
/** The lab's own program, `.ts` here or `.js` when built. */
const mainScript = fileURLToPath(new URL(`../main${extname(import.meta.url)}`, import.meta.url))
