import { shortGuid } from '@plaxton/guid'
import { formatCount, formatDuration, formatTable, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { LocateResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

export interface LocateOptions extends ControlOptions {
  /** Hosts wanted at most. */
  readonly n?: number
}

/** `plaxton locate`: who hosts an object. */
export async function locate(output: Output, options: LocateOptions, object: string): Promise<void> {
  const result = (await callNamedDaemon(options, { command: 'locate', arguments: { object, n: options.n } })) as LocateResult
  output.result(result, () => {
    const { stdout } = output.streams
    const { guid, hosts, elapsedMs } = result
    const heading = paint('bold', `${formatCount(hosts.length, 'host')} of ${shortGuid(guid)} in ${formatDuration(elapsedMs)}`, stdout)
    const table = formatTable(hosts.map(({ id, addresses }) => [`  ${shortGuid(id)}`, paint('dim', printable(addresses[0] ?? ''), stdout)]))
    return `${heading}${paint('dim', '  id, address', stdout)}\n${table}`
  })
}
