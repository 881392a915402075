import { shortGuid } from '@plaxton/guid'
import { formatCount, formatDuration, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon, fields } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { LookupResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** `plaxton lookup`: the way to the node that is responsible for a key. */
export async function lookup(output: Output, options: ControlOptions, key: string): Promise<void> {
  const result = (await callNamedDaemon(options, { command: 'lookup', arguments: { key } })) as LookupResult
  output.result(result, () => {
    const { stdout } = output.streams
    const { key: guid, root, hops, path, closest, elapsedMs } = result
    const rows = [
      ['key', guid],
      ['root', root.id],
      ['at', printable(root.addresses[0] ?? '')],
      ['path', path.map(shortGuid).join(' → ')],
      [
        'closest',
        closest
          .slice(0, shownClosest)
          .map(({ id }) => shortGuid(id))
          .join(' '),
      ],
    ] as const
    const heading = paint('bold', `${formatCount(hops, 'hop')} in ${formatDuration(elapsedMs)}`, stdout)
    return `${heading}\n${fields(rows, (text) => paint('dim', text, stdout))}`
  })
}

/** Nodes around the key that a person is shown: as many as hold replicas by default. */
const shownClosest = 5
