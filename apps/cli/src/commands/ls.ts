import { formatBytes, formatTable, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { ListItem } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** `plaxton ls`: what was put through this daemon, or what is in a folder. */
export async function ls(output: Output, options: ControlOptions, root?: string): Promise<void> {
  const items: ListItem[] = []
  await callNamedDaemon(options, {
    command: 'ls',
    arguments: { root },
    onFrame: ({ header }) => {
      items.push(header['value'] as ListItem)
      output.progress.show({ label: 'listing', done: items.length, total: undefined, unit: 'count' })
    },
  })
  if (items.length === 0)
    output.note(root === undefined ? 'nothing was put through this daemon yet: plaxton put FILE' : 'the folder is empty')
  output.result(items, () => {
    const { stdout } = output.streams
    return formatTable(
      items.map(({ name, type, size, cid }) => [
        formatBytes(size),
        type === 'directory' ? paint('blue', `${printable(name)}/`, stdout) : printable(name),
        paint('dim', cid, stdout),
      ]),
      [0],
    )
  })
}
