// npm run peers: the same work on Plaxton and on the peers that can be run beside it. See the README for what is measured and how.

import { fork } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { within } from './limit.ts'
import { withSection } from './readme.ts'
import { table } from './summary.ts'
import { systems } from './systems.ts'
import type { RunResult } from './figures.ts'
import type { Amount } from './workload.ts'

const help = `npm run peers -- [options]

  --systems A,B     ${systems.map(({ name }) => name).join(', ')}; all of them by default
  --nodes 20,50     nodes of each network
  --rounds 5        each system once a round, in an order that changes; the seed is the round's number
  --calls 100       objects put, and calls of each other kind
  --seconds 20      the longest that one kind of call goes on
  --json FILE       every run's figures
  --readme          writes the tables into the README
`

const { values } = parseArgs({
  options: {
    systems: { type: 'string', default: systems.map(({ name }) => name).join(',') },
    nodes: { type: 'string', default: '20,50' },
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    json: { type: 'string' },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit()
}

/** The longest that one run may take, whatever hangs. */
const runLimitMs = 10 * 60_000

const names = values.systems.split(',').map((name) => {
  if (!systems.some((system) => system.name === name))
    fail(`--systems: there is no ${JSON.stringify(name)}; there is ${systems.map((it) => it.name).join(', ')}`)
  return name
})
const sizes = values.nodes.split(',').map((text) => count('--nodes', text, 7, 1_000))
const rounds = count('--rounds', values.rounds, 1, 1_000)
const calls = count('--calls', values.calls, 1, 100_000)
const phaseMs = 1_000 * count('--seconds', values.seconds, 1, 3_600)

const all: RunResult[] = []
const tables: string[] = []
for (const nodes of sizes) {
  const results: RunResult[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const name of turned(names, round)) {
      const result = await run(name, round, { nodes, calls, phaseMs, rateMs: phaseMs / 10, restMs: phaseMs / 10 })
      console.log(`${nodes} nodes, round ${round}, ${name}: ${result.errors.length === 0 ? 'done' : result.errors.join('; ')}`)
      results.push(result)
    }
  }
  all.push(...results)
  tables.push(`### ${nodes} nodes\n\n${table(results, names)}`)
  console.log(`\n${tables.at(-1)}\n`)
}
for (const name of names) console.log(`${name}: ${systems.find((system) => system.name === name)!.differs}`)
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(all, null, 2)}\n`)
if (values.readme) {
  const file = new URL('../README.md', import.meta.url)
  const command = `npm run peers -- ${process.argv
    .slice(2)
    .filter((word) => word !== '--readme')
    .join(' ')}`.trim()
  await writeFile(file, withSection(await readFile(file, 'utf8'), command, tables))
}

/** One system's run in a process of its own: memory and processor time are its own, and nothing of one run is left for the next. */
async function run(system: string, seed: number, amount: Amount): Promise<RunResult> {
  const child = fork(new URL('one-run.ts', import.meta.url), [system, String(seed), JSON.stringify(amount)], {
    execArgv: ['--conditions=plaxton-source', '--expose-gc', '--no-warnings'],
    // Some systems talk; a table is wanted.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const message = new Promise<RunResult>((resolve, reject) => {
    child.once('message', (result) => resolve(result as RunResult))
    child.once('exit', (code) => reject(new Error(`the process ended with status ${code}`)))
  })
  try {
    return await within(message, runLimitMs)
  } catch (error) {
    child.kill('SIGKILL')
    return { system, nodes: amount.nodes, seed, figures: {}, errors: [String(error)] }
  }
}

/** Another one begins in each round: what drifts on the machine hits everybody. */
function turned<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

function count(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    fail(`${option}: ${JSON.stringify(text)} is no whole number from ${least} to ${most}`)
  return value
}

function fail(message: string): never {
  console.error(`${message}\n\n${help}`)
  process.exit(2)
}
