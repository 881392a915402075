import { fuzz, overlays, parseScenario, runScenario } from '@plaxton/simulator'
import type { FuzzRun, OverlayName } from '@plaxton/simulator'
import { InvalidValueError } from '@plaxton/kbr'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { UsageError, oneOf, overlayNames, wholeNumber } from '../options.ts'
import { renderReplay, renderRun, renderTotal } from './render.ts'

/** `fuzz`: looks for scenarios in which a check fails, or replays one. Returns whether no check failed. */
export function fuzzCommand(args: readonly string[], { stdout, stderr }: Streams): boolean {
  const { values } = parseArgs({
    args: [...args],
    options: {
      overlay: { type: 'string', default: 'pastry' },
      minutes: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string' },
      nodes: { type: 'string' },
      replay: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const overlay = oneOf('overlay', values.overlay, overlayNames(undefined))
  if (values.replay !== undefined) return replay(overlay, values.replay, values.json, stdout)

  const nodes = wholeNumber('nodes', values.nodes, mostNodes, 2)
  const first = wholeNumber('seed', values.seed, 1, 0)
  const runs = values.runs === undefined ? Infinity : wholeNumber('runs', values.runs, 1, 1)
  const minutes = values.runs !== undefined && values.minutes === undefined ? Infinity : wholeNumber('minutes', values.minutes, 1, 1)
  const started = performance.now()
  const minutesSoFar = () => (performance.now() - started) / 60_000
  const done: FuzzRun[] = []
  const failed = () => done.filter(({ violations }) => violations.length > 0)
  while (done.length < runs && minutesSoFar() < minutes) {
    const run = fuzz(first + done.length, { subject: overlays[overlay](), nodes, tries })
    done.push(run)
    if (stderr.isTTY === true) stderr.write(`\r\x1b[K${done.length} runs, ${failed().length} failed, ${minutesSoFar().toFixed(1)} min`)
    if (values.json) stdout.write(`${JSON.stringify(run)}\n`)
    else if (run.violations.length > 0) stdout.write(`${stderr.isTTY === true ? '\r\x1b[K' : ''}${renderRun(run, overlay)}\n`)
  }
  if (stderr.isTTY === true) stderr.write('\r\x1b[K')
  if (!values.json) stdout.write(`${renderTotal(done, overlay, nodes)}\n`)
  return failed().length === 0
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
