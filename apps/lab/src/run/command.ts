import { experimentSizes, overlays, renderReport } from '@plaxton/simulator'
import type { OverlayName } from '@plaxton/simulator'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { UsageError, oneOf, seedsOf, wholeNumber } from '../options.ts'
import { originNow, resultsFolder, save } from '../results/kept.ts'
import { experimentOf } from './experiments.ts'
import type { NamedExperiment } from './experiments.ts'
import { runExperiment } from './outcome.ts'
import type { Outcome, Sizes } from './outcome.ts'
import { drawPlots } from './plots.ts'

/** `run OVERLAY EXPERIMENT`: one experiment of the papers, its table and whether it held; kept and drawn when asked for. */
export function runCommand(args: readonly string[], streams: Streams): boolean {
  const { positionals, values } = parseArgs({ args: [...args], allowPositionals: true, options })
  const named = experimentOf(positionals)
  const seeds = seedsOf(values.seeds ?? values.seed)
  const sizes = sizesOf(named, values)
  const say = (text: string): void => void (values.json || streams.stdout.write(`${text}\n`))
  if (values.svg !== undefined && named.experiment.plots === undefined) throw new UsageError(`--svg: nothing of ${named.name} is drawn`)

  if (values.save && (sizes.overlay ?? named.overlay) !== named.overlay)
    throw new UsageError(`--save keeps what the paper’s own overlay gave, and --overlay is ${sizes.overlay}`)
  const origin = originNow()
  say(`${named.name}: ${named.experiment.says}\n${named.experiment.paper}: ${named.experiment.found}`)
  const outcome = runExperiment(named, seeds, sizes, {
    onReport: (seed, report) => say(`seed ${seed}: ${renderReport(report)}`),
    onProgress: (word) => void (streams.stderr.isTTY === true && streams.stderr.write(`\r${word} `)),
  })
  say(outcome.held ? 'held' : 'not held')
  if (values.json) streams.stdout.write(`${JSON.stringify(outcome, undefined, 2)}\n`)
  if (values.svg !== undefined) for (const path of writePlots(named, outcome, values.svg)) say(`drawn: ${path}`)
  if (values.save) say(`kept: ${save(values.out, outcome, origin)}`)
  return outcome.held
}

const options = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  overlay: { type: 'string' },
  nodes: { type: 'string' },
  lookups: { type: 'string' },
  repeats: { type: 'string' },
  objects: { type: 'string' },
  minutes: { type: 'string' },
  svg: { type: 'string' },
  save: { type: 'boolean', default: false },
  out: { type: 'string', default: resultsFolder },
  json: { type: 'boolean', default: false },
} as const

function sizesOf(
  { overlay: own, experiment }: NamedExperiment,
  values: { readonly [Size in 'overlay' | (typeof experimentSizes)[number]]?: string },
): Sizes {
  const sizes = experimentSizes.flatMap((size) =>
    values[size] === undefined ? [] : [[size, wholeNumber(size, values[size], 0, least(size))]],
  )
  const allowed = experiment.anyOverlay === true ? (Object.keys(overlays) as OverlayName[]) : [own]
  const overlay = values.overlay === undefined ? {} : { overlay: oneOf('overlay', values.overlay, allowed) }
  return { ...overlay, ...Object.fromEntries(sizes) }
}

/** Fewer nodes than ten are no network to measure. */
function least(size: (typeof experimentSizes)[number]): number {
  return size === 'nodes' ? 10 : 1
}

/** The drawings of the first seed; from the second on, their number goes before the file's ending. Returns their paths. */
function writePlots({ experiment }: NamedExperiment, { runs }: Outcome, path: string): string[] {
  return drawPlots(experiment, runs[0]!).map((svg, i) => {
    const numbered = i === 0 ? path : path.replace(/(\.\w+)?$/, `-${i + 1}$1`)
    writeFileSync(numbered, `${svg}\n`)
    return numbered
  })
}
