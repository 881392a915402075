import { overlays } from '@plaxton/simulator'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { oneOf, overlayNames, wholeNumber } from '../options.ts'
import { claims } from './claims.ts'
import { verdictOf } from './exhibit.ts'
import type { Exhibit } from './exhibit.ts'
import { renderExhibit, renderVerdicts } from './render.ts'
import type { Measured } from './render.ts'

/** `claims`: measures and prints row after row. Returns whether every claim that can be measured held. */
export async function claimsCommand(args: readonly string[], { stdout, stderr }: Streams): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      overlay: { type: 'string', default: 'pastry' },
      rows: { type: 'string' },
      nodes: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const names = overlayNames(values.overlay, 'overlay')
  const rows = values.rows?.split(',').map((row) => oneOf('rows', row, Object.keys(claims))) ?? Object.keys(claims)
  const seed = wholeNumber('seed', values.seed, 1, 0)
  const nodes = wholeNumber('nodes', values.nodes, nodesByDefault, fewestNodes)
  const say = (text: string) => values.json || stdout.write(text)

  const measured: Measured[] = []
  for (const overlay of names) {
    say(`${measured.length > 0 ? '\n' : ''}${overlay}, ${nodes} nodes on a transit-stub network unless said otherwise, seed ${seed}\n`)
    const exhibits: Exhibit[] = []
    for (const row of rows) {
      if (stderr.isTTY === true) stderr.write(`\r\x1b[K${overlay}: ${row}`)
      exhibits.push(await claims[row]!({ subject: overlays[overlay](), seed, nodes, samples }))
      if (stderr.isTTY === true) stderr.write('\r\x1b[K')
      say(`\n${renderExhibit(exhibits.at(-1)!)}\n`)
    }
    measured.push({ overlay, exhibits })
  }
  if (names.length > 1) say(`\n${renderVerdicts(measured)}\n`)
  const judged = measured.map(({ overlay, exhibits }) => ({
    overlay,
    exhibits: exhibits.map((exhibit) => ({ ...exhibit, verdict: verdictOf(exhibit) })),
  }))
  if (values.json) stdout.write(`${JSON.stringify({ format: 'plaxton lab claims 2', seed, nodes, overlays: judged }, undefined, 2)}\n`)
  return measured.every(({ exhibits }) => exhibits.every((exhibit) => verdictOf(exhibit) !== 'not held'))
}

/** The row on scale goes up to four times as many. Takes a quarter of a minute for Pastry. */
const nodesByDefault = 100
/** Objects, comings and goings of each experiment: enough that one in ten that fails is seen with a probability of 88 %. */
const samples = 20
/** With fewer, everybody knows everybody, and four deaths are half of the network. */
const fewestNodes = 20
