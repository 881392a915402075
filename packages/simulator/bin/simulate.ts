import { parseArgs } from 'node:util'
import { InvalidValueError } from '@plaxton/kbr'
import { experimentSizes, experiments, holds, overlays, renderReport, runChurn, runMix } from '../src/index.ts'
import type { DolrCounts, commonRuns, OverlayName, ServiceName } from '../src/index.ts'
import { eachSeedInWorkers, mixInWorkers } from './mix-workers.ts'
import type { MixReport } from './mix-workers.ts'
import { realismOf, realismOptions, realismUsage } from './realism.ts'

const usage = `npm run simulate -- COMMAND [OPTION…]

  mix     join, crash, restart, leave, partition and loss with PAST on top; then every checker
          --seed 17 or --seeds 1..200   --nodes 100   --plan prints what each seed drew
          --overlay pastry (or tapestry)   --services past (or dolr, or past,dolr)   --stop ends at the first failure
          --virtual-nodes 3: so many nodes on each machine, which fail together
          --realities 2: so many coordinate spaces of a CAN
  churn   lookups while nodes come and go with exponential sessions, on a transit-stub network
          --seed 1   --nodes 1000   --session 60 (mean, minutes)   --minutes 30 (measured)   --loss 0   --overlay pastry   --bytes (counts upkeep in bytes too)
${realismUsage}
  OVERLAY EXPERIMENT
          the figures of the overlay's papers beside ours, and those of ideal tables; sizes are the paper's unless given
          --seed 1 or --seeds 1..3   --nodes, --lookups, --repeats, --objects, --minutes   --overlay: the same of another
${Object.entries(experiments)
  .flatMap(([family, words]) =>
    Object.entries(words).map(([word, { says, paper }]) => `          ${`${family} ${word}`.padEnd(22)}${says} (${paper})`),
  )
  .join('\n')}

  --jobs 2  spreads the seeds over so many processes; what is printed is in the order of the seeds, and the same
  --json    one line of JSON per seed instead of text

Ends with status 1 when a checker found something or a figure has not the shape it must have. The same seed gives the same trace hash everywhere.`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    nodes: { type: 'string' },
    jobs: { type: 'string' },
    lookups: { type: 'string' },
    overlay: { type: 'string' },
    repeats: { type: 'string' },
    objects: { type: 'string' },
    'virtual-nodes': { type: 'string' },
    realities: { type: 'string' },
    services: { type: 'string', default: 'past' },
    session: { type: 'string' },
    minutes: { type: 'string' },
    loss: { type: 'string' },
    bytes: { type: 'boolean', default: false },
    ...realismOptions,
    plan: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const overlayNames = Object.keys(overlays) as OverlayName[]
const commands: Readonly<Record<keyof typeof commonRuns, () => boolean | Promise<boolean>>> = { mix, churn }
const [word = '', experiment = ''] = positionals
const isPublished = experiments[word]?.[experiment] !== undefined
const command = Object.hasOwn(commands, word)
  ? commands[word as keyof typeof commonRuns]
  : isPublished
    ? () => publishedBy(word, experiment)
    : undefined
if (values.help) console.log(usage)
else if (command === undefined) {
  console.error(usage)
  process.exitCode = 2
} else process.exitCode = await statusOf(word === 'mix' ? mix : () => spread(command))

/** What the caller got wrong, such as a file that is not there or does not say what it should, is said in one line. */
async function statusOf(run: () => boolean | Promise<boolean>): Promise<number> {
  try {
    return (await run()) ? 0 : 1
  } catch (error) {
    const isCallers = error instanceof InvalidValueError || (error instanceof Error && 'syscall' in error)
    if (!isCallers) throw error
    console.error(error.message)
    return 2
  }
}

/** Independent seeds in processes of their own, when so many are wanted. */
function spread(run: () => boolean | Promise<boolean>): boolean | Promise<boolean> {
  const jobs = number('jobs', values.jobs, 1)
  return jobs > 1 && seeds().length > 1 ? eachSeedInWorkers(seeds(), process.argv.slice(2), jobs) : run()
}

async function mix(): Promise<boolean> {
  const nodes = number('nodes', values.nodes, 100)
  const jobs = number('jobs', values.jobs, 1)
  const virtualNodes = number('virtual-nodes', values['virtual-nodes'], 1)
  const realities = number('realities', values.realities, 1)
  const name = overlay('pastry')
  const started = performance.now()
  let runs = 0
  let failed = 0
  const onReport = (report: MixReport): boolean => {
    runs++
    if (report.violations.total > 0) failed++
    print(report, () => describeMix(report, nodes, name))
    return failed === 0 || !values.stop
  }
  if (jobs > 1)
    await mixInWorkers(
      seeds(),
      ['--nodes', nodes, '--virtual-nodes', virtualNodes, '--realities', realities, '--overlay', name, '--services', services()].map(
        String,
      ),
      jobs,
      onReport,
    )
  else
    seeds().every((seed) =>
      onReport(
        JSON.parse(JSON.stringify(runMix({ seed, nodes, virtualNodes, realities, overlay: name, services: services() }))) as MixReport,
      ),
    )
  const secondsEach = (performance.now() - started) / 1000 / runs
  if (!values.json) console.log(`${runs} runs, ${failed} with violations, ${secondsEach.toFixed(2)} s a run`)
  return failed === 0
}

function describeMix(report: MixReport, nodes: number, name: OverlayName): string {
  const { seed, violations, commands: c } = report
  const virtual = values['virtual-nodes'] === undefined ? '' : ` --virtual-nodes ${values['virtual-nodes']}`
  const spaces = values.realities === undefined ? '' : ` --realities ${values.realities}`
  const lines = [
    `seed ${seed}: ${violations.total === 0 ? 'ok' : `${violations.total} VIOLATIONS`}; ${report.nodes} nodes, ${report.messages} messages in ` +
      `${Math.round(report.virtualMs / 1000)} virtual s; puts ${c.putsOk}/${c.puts}, gets ${c.getsOk}/${c.gets}, removes ${c.removesOk}/${c.removes}; ` +
      `${report.deliveries} deliveries, ${report.wrongDeliveries} wrong; ${report.falseSuspicions} false suspicions; ` +
      `excused ${report.excused}, extra copies ${report.extraCopies}; trace ${report.traceHash}`,
  ]
  if (report.dolr !== undefined) lines.push(`  dolr: ${describeDolr(report.dolr)}`)
  if (values.plan || violations.total > 0) lines.push(`  plan: ${report.plan}`)
  for (const [check, count] of Object.entries(violations.byCheck)) lines.push(`  ${check}: ${count}`)
  for (const { check, at, detail } of violations.kept) lines.push(`    at ${at} ms, ${check}: ${detail}`)
  if (violations.total > 0)
    lines.push(
      `  repeat with: npm run simulate -- mix --seed ${seed} --nodes ${nodes}${virtual}${spaces} --overlay ${name} --services ${services().join()}`,
    )
  return lines.join('\n')
}

function describeDolr(c: DolrCounts): string {
  return (
    `published ${c.publishesOk}/${c.publishes}, unpublished ${c.unpublishesOk}/${c.unpublishes}, sent ${c.sendsOk}/${c.sends}, ` +
    `located ${c.locatesOk}/${c.locates}; ${c.extraDeliveries} extra deliveries`
  )
}

function churn(): boolean {
  const nodes = number('nodes', values.nodes, 1000)
  const sessionMinutes = number('session', values.session, 60)
  const minutes = number('minutes', values.minutes, 30)
  const loss = number('loss', values.loss, 0)
  const name = overlay('pastry')
  const realism = realismOf(values, sessionMinutes, number)
  let fine = true
  for (const seed of seeds()) {
    const onProgress = (at: number) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${at} minutes simulated `)
    }
    const result = runChurn({ seed, nodes, overlay: name, sessionMinutes, minutes, loss, encode: values.bytes, realism, onProgress })
    // MSPastry's promise: nothing arrives at a wrong node while nobody is taken for dead who lives. Lost messages bring such mistakes about.
    const broken = loss === 0 && result.falseSuspicions === 0 && result.wrongRate > 0
    if (broken) fine = false
    const surroundings = (Object.keys(realismOptions) as Array<keyof typeof realismOptions>).map((option) =>
      values[option] === undefined ? '' : ` --${option} ${values[option]}`,
    )
    const repeat = `churn --seed ${seed} --nodes ${nodes} --session ${sessionMinutes} --minutes ${minutes} --overlay ${name}${surroundings.join('')}`
    const bytes = result.controlBytesPerSecondAndNode
    const inBytes = bytes === undefined ? '' : ` and ${bytes.toFixed(0)} bytes`
    print(
      result,
      () =>
        [
          `seed ${seed}, ${nodes} nodes, sessions of ${sessionMinutes} min on average, ${minutes} min measured, loss ${loss}, trace ${result.traceHash}`,
          `  ${result.lookups} lookups: lost ${result.lossRate.toExponential(1)}, delivered elsewhere ${result.wrongRate.toExponential(1)}, twice ${result.duplicates}`,
          `  hops ${result.hops.mean.toFixed(2)}, delay penalty ${result.delayPenalty.toFixed(2)}, control ${result.controlPerSecondAndNode.toFixed(3)} messages${inBytes}/s/node, ${result.falseSuspicions} false suspicions`,
        ].join('\n') + repetition(broken, repeat),
    )
  }
  return fine
}

function publishedBy(family: string, name: string): boolean {
  let fine = true
  for (const seed of seeds()) {
    const started = performance.now()
    const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
    const { run, anyOverlay = false } = experiments[family]![name]!
    const report = run({
      seed,
      overlay: overlay(family as OverlayName, anyOverlay ? overlayNames : [family as OverlayName]),
      ...givenSizes(),
      onProgress: (word) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${word}, ${elapsed()} `)
      },
    })
    const broken = !holds(report)
    if (broken) fine = false
    const sizes = (['overlay', ...experimentSizes] as const).map((size) => (values[size] === undefined ? '' : ` --${size} ${values[size]}`))
    print(
      report,
      () => `seed ${seed}, ${elapsed()}: ${renderReport(report)}` + repetition(broken, `${family} ${name} --seed ${seed}${sizes.join('')}`),
    )
  }
  return fine
}

/** The line that repeats a run in which something was wrong. */
function repetition(broken: boolean, commandLine: string): string {
  return broken ? `\n  repeat with: npm run simulate -- ${commandLine}` : ''
}

function print(result: object, text: () => string): void {
  console.log(values.json ? JSON.stringify(result) : text())
}

function seeds(): number[] {
  const [first, last] = (values.seeds ?? values.seed ?? '1').split('..').map((text) => number('seed', text, 1))
  return Array.from({ length: (last ?? first!) - first! + 1 }, (_, i) => first! + i)
}

function overlay(otherwise: OverlayName, allowed: readonly OverlayName[] = overlayNames): OverlayName {
  const name = allowed.find((known) => known === (values.overlay ?? otherwise))
  if (name !== undefined) return name
  console.error(`--overlay is ${values.overlay}, allowed is ${allowed.join(' or ')}`)
  process.exit(2)
}

function services(): ServiceName[] {
  const names = values.services.split(',')
  if (names.every((name) => name === 'past' || name === 'dolr')) return names
  console.error(`--services is ${values.services}, allowed is past, dolr or past,dolr`)
  process.exit(2)
}

/** The sizes that were given, by their names. */
function givenSizes(): { readonly [Size in (typeof experimentSizes)[number]]?: number } {
  return Object.fromEntries(experimentSizes.flatMap((size) => (values[size] === undefined ? [] : [[size, number(size, values[size], 0)]])))
}

function number(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  console.error(`--${name} is ${text}, allowed is a number >= 0`)
  process.exit(2)
}
