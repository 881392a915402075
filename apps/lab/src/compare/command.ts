import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { oneOf, overlayNames, seedsOf, wholeNumber } from '../options.ts'
import { renderPage } from '../page/page.ts'
import { compare } from './comparison.ts'
import { renderTable } from './table.ts'
import { topologies, workloadDefaults } from './workload.ts'
import type { TopologyName } from './workload.ts'

/** `compare`: measures, prints and writes the page. Returns whether no overlay failed. */
export function compareCommand(args: readonly string[], { stdout, stderr }: Streams): boolean {
  const { values } = parseArgs({
    args: [...args],
    options: {
      overlays: { type: 'string' },
      nodes: { type: 'string' },
      topology: { type: 'string', default: workloadDefaults.topology },
      session: { type: 'string' },
      minutes: { type: 'string' },
      seeds: { type: 'string' },
      out: { type: 'string', default: 'lab-results' },
      json: { type: 'boolean', default: false },
    },
  })
  const comparison = compare({
    overlays: overlayNames(values.overlays),
    nodes: wholeNumber('nodes', values.nodes, workloadDefaults.nodes, fewestNodes),
    topology: oneOf('topology', values.topology, Object.keys(topologies) as TopologyName[]),
    sessionMinutes: wholeNumber('session', values.session, workloadDefaults.sessionMinutes, 1),
    minutes: wholeNumber('minutes', values.minutes, workloadDefaults.minutes, 1),
    seeds: seedsOf(values.seeds),
    onProgress: (word) => stderr.isTTY === true && stderr.write(`\r\x1b[K${word}`),
  })
  if (stderr.isTTY === true) stderr.write('\r\x1b[K')

  const json = `${JSON.stringify(comparison, undefined, 2)}\n`
  mkdirSync(values.out, { recursive: true })
  writeFileSync(join(values.out, 'compare.json'), json)
  writeFileSync(join(values.out, 'compare.html'), renderPage(comparison))
  stdout.write(values.json ? json : `${renderTable(comparison)}\n\nplots: ${join(values.out, 'compare.html')}\n`)
  return comparison.overlays.every(({ failures }) => failures.length === 0)
}

/** With fewer, a fifth that die are nobody. */
const fewestNodes = 10
