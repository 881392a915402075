import { shortGuid } from '@plaxton/guid'
import { formatCount, formatDuration, formatTable, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { PeersResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** `plaxton peers`: who is next to this node in the id space, and whom it is connected with. */
export async function peers(output: Output, options: ControlOptions): Promise<void> {
  const result = (await callNamedDaemon(options, { command: 'peers' })) as PeersResult
  output.result(result, () => {
    const { stdout } = output.streams
    const { self, neighbors, connections } = result
    const bold = (text: string): string => paint('bold', text, stdout)
    const dim = (text: string): string => paint('dim', text, stdout)
    const neighborTable = formatTable(
      neighbors.map(({ id, addresses, roundTripMs }) => [
        `  ${shortGuid(id)}`,
        roundTripMs === null ? '?' : formatDuration(roundTripMs),
        dim(printable(addresses[0] ?? '')),
      ]),
      [1],
    )
    const connectionTable = formatTable(
      connections.map(({ address, direction, openMs }) => [
        `  ${direction === 'inbound' ? 'in' : 'out'}`,
        formatDuration(openMs),
        dim(printable(address)),
      ]),
      [1],
    )
    return [
      `${bold(`${shortGuid(self.id)} has ${formatCount(neighbors.length, 'neighbour')}`)}${neighbors.length === 0 ? '' : dim('  id, round trip, address')}`,
      neighborTable,
      `${bold(`and ${formatCount(connections.length, 'connection')}`)}${connections.length === 0 ? '' : dim('  direction, age, address')}`,
      connectionTable,
    ]
      .filter((part) => part !== '')
      .join('\n')
  })
}
