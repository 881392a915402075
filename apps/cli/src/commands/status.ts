import { shortGuid } from '@plaxton/guid'
import { formatBytes, formatCount, formatDuration } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon, fields } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { NodeLoad, StatusResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** How a host's virtual nodes share its load; nothing of a host that has one node. */
function nodeRows(nodes: readonly NodeLoad[]): Array<readonly [string, string]> {
  if (nodes.length === 1) return []
  return nodes.map(({ id, ready, objects, bytes }, index) => {
    const held = `${formatCount(objects, 'object')}, ${formatBytes(bytes)}`
    return [index === 0 ? 'of these' : '', `${held} by virtual node ${index}, ${shortGuid(id)}${ready ? '' : ', joining'}`]
  })
}

/** `plaxton status`: how the daemon is. */
export async function status(output: Output, options: ControlOptions): Promise<void> {
  const result = (await callNamedDaemon(options, { command: 'status' })) as StatusResult
  output.result(result, () => {
    const { stdout } = output.streams
    const { counters, addresses } = result
    const state = result.ready ? paint('green', 'ready', stdout) : paint('yellow', 'joining', stdout)
    const rows: Array<readonly [string, string]> = [
      ['id', result.id],
      ['network', `${result.network}, overlay ${result.overlay}`],
      ...addresses.map((address, index) => [index === 0 ? 'listens at' : '', address] as const),
      ['data', result.data],
      [
        'holds',
        `${formatCount(result.objects, 'object')}, ${formatBytes(result.bytes)}; ${formatCount(result.tombstones, 'removal')} remembered`,
      ],
      ...nodeRows(result.nodes),
      ['catalog', formatCount(result.catalog, 'entry', 'entries')],
      ['objects', `${result.published} published, ${result.hosted} hosted for clients`],
      ['peers', `${formatCount(result.neighbors, 'neighbour')}, ${formatCount(result.connections, 'connection')}`],
      ['traffic', `${formatBytes(counters['bytesIn'] ?? 0)} in, ${formatBytes(counters['bytesOut'] ?? 0)} out`],
    ]
    const heading = `${paint('bold', `plaxton ${result.version}`, stdout)} ${state} since ${formatDuration(result.uptimeMs)}, process ${result.pid}`
    return `${heading}\n${fields(rows, (text) => paint('dim', text, stdout))}`
  })
}
