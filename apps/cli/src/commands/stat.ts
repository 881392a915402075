import { shortGuid } from '@plaxton/guid'
import { UsageError } from '../errors.ts'
import { formatBytes, formatCount, formatDuration, formatTable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon, fields } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { BlockItem, StatResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

export interface StatOptions extends ControlOptions {
  readonly ensure?: boolean
  readonly replicas?: number
}

/** Blocks a person is shown; of a large file, those with the fewest copies. */
const shownBlocks = 16

/** `plaxton stat`: who holds each block of a file or folder. */
export async function stat(output: Output, options: StatOptions, root: string): Promise<void> {
  const { ensure, replicas } = options
  if (replicas !== undefined && ensure !== true) throw new UsageError('--replicas goes with --ensure: it says how many copies to restore')
  const items: BlockItem[] = []
  const summary = (await callNamedDaemon(options, {
    command: 'stat',
    arguments: { root, ensure, replicas },
    onFrame: ({ header }) => {
      if (header.type === 'item') items.push(header['value'] as BlockItem)
      output.progress.show({ label: ensure === true ? 'restoring' : 'asking', done: items.length, total: undefined, unit: 'count' })
    },
  })) as StatResult
  output.result({ ...summary, perBlock: items }, () => asText(summary, items, output))
}

function asText(summary: StatResult, items: readonly BlockItem[], { streams }: Output): string {
  const { stdout } = streams
  const { guid, cid, type, size, blocks, minReplicas, maxReplicas, wanted, elapsedMs } = summary
  const span = minReplicas === maxReplicas ? `${minReplicas}` : `${minReplicas} to ${maxReplicas}`
  const rows = [
    ['guid', guid],
    ['cid', cid],
    ['size', `${formatBytes(size)} in ${formatCount(blocks, 'block')}`],
    ['replicas', paint(minReplicas >= wanted ? 'green' : minReplicas > 0 ? 'yellow' : 'red', `${span} of ${wanted}`, stdout)],
    ['time', formatDuration(elapsedMs)],
  ] as const
  const dim = (text: string): string => paint('dim', text, stdout)
  const worst = items.toSorted((a, b) => a.holders.length - b.holders.length).slice(0, shownBlocks)
  const table = formatTable(
    worst.map(({ guid: block, size: bytes, wanted: of, holders }) => [
      `  ${shortGuid(block)}`,
      formatBytes(bytes),
      `${holders.length} of ${of}`,
      dim(holders.map(shortGuid).join(' ')),
    ]),
    [1],
  )
  const more =
    items.length > worst.length ? `\n  ${dim(`and ${formatCount(items.length - worst.length, 'block')} more, which --json lists`)}` : ''
  return `${paint('bold', type === 'file' ? 'file' : 'folder', stdout)}\n${fields(rows, dim)}\n${paint('bold', 'blocks and who holds them', stdout)}\n${table}${more}`
}
