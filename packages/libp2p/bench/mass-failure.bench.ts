import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { guidOf } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import { overlayNamed, startNodes } from './some-nodes.ts'
import { Timings, printTable } from './timings.ts'
import type { ChildProcess } from 'node:child_process'
import type { Guid } from '@plaxton/guid'
import type { BenchNode, Hosted } from './some-nodes.ts'

/**
 * Half of 50 nodes die at once; how long do reads take that begin at that moment?
 *
 * The nodes live in ten processes, on loopback TCP with noise and yamux. Five of the processes are killed with SIGKILL: nothing is said, nothing is
 * closed but by the operating system. In one process the dying half would be torn down by the threads that the other half reads with.
 *
 *     npm run bench -- mass-failure       options: --overlay pastry --nodes 50 --processes 10 --objects 200 --seed 1
 *
 * Ends with status 1 unless every object with a copy left was read within a second.
 */

const { values } = parseArgs({
  options: {
    overlay: { type: 'string', default: 'pastry' },
    nodes: { type: 'string', default: '50' },
    processes: { type: 'string', default: '10' },
    objects: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
})
const overlayName = overlayNamed(values.overlay)
const processes = Number(values.processes)
const nodesEach = Math.ceil(Number(values.nodes) / processes)
const prng = Prng.fromSeed(values.seed)
const goalMs = 1_000

/** The whole bench ends after this, whatever hangs. */
const limitMs = 5 * 60_000
setTimeout(() => {
  console.error(`not done after ${limitMs / 60_000} minutes`)
  process.exit(1)
}, limitMs).unref()

const children: Array<Hosted & { readonly child: ChildProcess }> = []
try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  for (const { child } of children) child.kill('SIGKILL')
}
process.exit()

async function run(): Promise<boolean> {
  const own = await startNodes(nodesEach, overlayName, [])
  const bootstrap = own.flatMap((node) => node.getMultiaddrs().map(String))
  for (let i = 1; i < processes; i++) children.push(await startChild(bootstrap))
  const objects = Array.from({ length: Number(values.objects) }, () => Uint8Array.from({ length: 1024 }, () => prng.nextInt(256)))
  for (const bytes of objects) await pick(own).services.past.put(guidOf(bytes), bytes)

  const victims = prng.shuffle(children).slice(0, Math.floor(processes / 2))
  const readable = await survivingObjects(own, objects, new Set(victims.flatMap(({ ids }) => ids)))
  const gone = victims.map(({ child }) => once(child, 'exit'))
  for (const { child } of victims) child.kill('SIGKILL')
  await Promise.all(gone)
  return await readAll(own, readable, victims.length * nodesEach)
}

async function startChild(bootstrap: readonly string[]): Promise<Hosted & { readonly child: ChildProcess }> {
  const file = new URL('some-nodes.ts', import.meta.url)
  const child = fork(file, [String(nodesEach), overlayName, ...bootstrap], { execArgv: ['--conditions=plaxton-source'] })
  const failed = once(child, 'exit').then(() => {
    throw new Error('a process of the bench ended before its nodes were members')
  })
  const [hosted] = (await Promise.race([once(child, 'message'), failed])) as [Hosted]
  failed.catch(() => {})
  return { ...hosted, child }
}

/** The objects of which a copy will be left. */
async function survivingObjects(nodes: readonly BenchNode[], objects: readonly Uint8Array[], dying: ReadonlySet<string>): Promise<Guid[]> {
  const alive: Guid[] = []
  for (const bytes of objects) {
    const { guid, holders } = await pick(nodes).services.past.inspect(guidOf(bytes))
    if (holders.some(({ id }) => !dying.has(id))) alive.push(guid)
  }
  return alive
}

/** One after the other, each at a random node of this process. */
async function readAll(nodes: readonly BenchNode[], guids: readonly Guid[], dead: number): Promise<boolean> {
  const reads = new Timings('get')
  let failed = 0
  for (const guid of guids) {
    const { past } = pick(nodes).services
    try {
      const bytes = await reads.measure(() => past.get(guid))
      if (guidOf(bytes) !== guid) throw new Error('read something else than was stored')
    } catch (error) {
      failed++
      console.log(`not read: ${(error as Error).message}`)
    }
  }
  console.log(
    `${overlayName}: ${dead} of ${processes * nodesEach} nodes killed; ${reads.count} of ${guids.length} objects with a copy left were read`,
  )
  printTable([reads])
  const met = failed === 0 && reads.quantile(1) <= goalMs
  console.log(`goal, every one within ${goalMs} ms: ${met ? 'met' : 'missed'}`)
  return met
}

function pick(nodes: readonly BenchNode[]): BenchNode {
  return nodes[prng.nextInt(nodes.length)] as BenchNode
}
