import { parseArgs } from 'node:util'
import { failuresOf, only, overlaySuite } from '../src/index.ts'
import type { OverlayUnderTest, Suite } from '../src/index.ts'
import { overlays, variants } from '../test/support/overlays.ts'
import { simulated } from '../test/support/simulated.ts'

const all = { ...overlays, ...variants }
const usage = `npm run conform -- --overlay NAME [OPTION…]

  The conformance suite of an overlay, or of services over it, in the simulator, seed by seed.

  --overlay ${Object.keys(all).join(', ')}
  --services past,dolr   the suites of these instead of the overlay's own
  --seeds 1..200 or --seed 17
  --nodes 24   of the networks that are not about few nodes
  --only WORDS   cases with these words in their title

Ends with status 1 when a case failed.`

const { values } = parseArgs({
  options: {
    overlay: { type: 'string' },
    services: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    nodes: { type: 'string', default: '24' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})

const overlay = all[values.overlay ?? '']
const services = values.services?.split(',') ?? []
if (values.help) console.log(usage)
else if (overlay === undefined || !services.every(isService)) {
  console.error(usage)
  process.exitCode = 2
} else process.exitCode = (await conform(values.overlay!, overlay, services)) ? 0 : 1

async function conform(name: string, subject: OverlayUnderTest, names: ReadonlyArray<keyof typeof simulated>): Promise<boolean> {
  let failed = 0
  for (const seed of seeds()) {
    const started = performance.now()
    const suites =
      names.length === 0 ? [overlaySuiteOf(name, subject, seed)] : names.map((service) => serviceSuiteOf(service, name, subject, seed))
    const failures = []
    for (const suite of suites) failures.push(...(await failuresOf(only(values.only, suite))))
    failed += failures.length
    console.log(
      `seed ${seed}: ${failures.length === 0 ? 'ok' : `${failures.length} FAILED`}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
    )
    for (const { title, error } of failures) console.log(`  ${title}\n    ${error.message.replaceAll('\n', '\n    ')}`)
  }
  return failed === 0
}

function overlaySuiteOf(name: string, subject: OverlayUnderTest, seed: number): Suite {
  const repeat = (_: unknown, title: string | undefined) =>
    `npm run conform -- --overlay ${name} --seed ${seed}${title === undefined ? '' : ` --only '${title}'`}`
  return overlaySuite(name, { ...subject, seeds: [seed], nodes: Number(values.nodes), repeat })
}

/** One network grows for all cases of a service, so all that ran belong to the history. */
function serviceSuiteOf(service: keyof typeof simulated, name: string, { create }: OverlayUnderTest, seed: number): Suite {
  const { nodes, only: words } = values
  const repeat = `npm run conform -- --overlay ${name} --services ${service} --seed ${seed} --nodes ${nodes}${words === '' ? '' : ` --only '${words}'`}`
  return simulated[service]({ overlay: create, seed, nodes: Number(nodes), repeat })
}

function isService(name: string): name is keyof typeof simulated {
  return Object.hasOwn(simulated, name)
}

function seeds(): number[] {
  const [first, last] = (values.seeds ?? values.seed ?? '1..3').split('..').map(Number)
  if (!Number.isInteger(first) || !Number.isInteger(last ?? first)) throw new Error('--seeds takes a number or a range such as 1..200')
  return Array.from({ length: (last ?? first!) - first! + 1 }, (_, i) => first! + i)
}
