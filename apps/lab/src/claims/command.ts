import { overlays } from '@plaxton/simulator'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { oneOf, overlayNames, wholeNumber } from '../options.ts'
import { claims } from './claims.ts'
import { verdictOf } from './exhibit.ts'
import { renderExhibit } from './render.ts'

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
  const overlay = oneOf('overlay', values.overlay, overlayNames(undefined))
  const rows = values.rows?.split(',').map((row) => oneOf('rows', row, Object.keys(claims))) ?? Object.keys(claims)
  const seed = wholeNumber('seed', values.seed, 1, 0)
  const nodes = wholeNumber('nodes', values.nodes, nodesByDefault, fewestNodes)
  if (!values.json) stdout.write(`${overlay}, ${nodes} nodes on a transit-stub network unless said otherwise, seed ${seed}\n`)

  let fine = true
  const exhibits = []
  for (const row of rows) {
    if (stderr.isTTY === true) stderr.write(`\r\x1b[K${row}`)
    const exhibit = await claims[row]!({ subject: overlays[overlay](), seed, nodes, samples })
    if (stderr.isTTY === true) stderr.write('\r\x1b[K')
    if (verdictOf(exhibit) === 'not held') fine = false
    if (values.json) exhibits.push({ ...exhibit, verdict: verdictOf(exhibit) })
    else stdout.write(`\n${renderExhibit(exhibit)}\n`)
  }
  if (values.json) stdout.write(`${JSON.stringify({ format: 'plaxton lab claims 1', overlay, seed, nodes, exhibits }, undefined, 2)}\n`)
  return fine
}

/** The row on scale goes up to four times as many. Takes a quarter of a minute for Pastry. */
const nodesByDefault = 100
/** Objects, comings and goings of each experiment: enough that one in ten that fails is seen with a probability of 88 %. */
const samples = 20
/** With fewer, everybody knows everybody, and four deaths are half of the network. */
const fewestNodes = 20
