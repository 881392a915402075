import { formatDuration, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon, fields } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { PublishResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** `plaxton publish`: makes known that this daemon hosts an object. */
export function publish(output: Output, options: ControlOptions, object: string): Promise<void> {
  return call('publish', 'published', output, options, object)
}

/** `plaxton unpublish`: takes that back. */
export function unpublish(output: Output, options: ControlOptions, object: string): Promise<void> {
  return call('unpublish', 'unpublished', output, options, object)
}

async function call(command: string, done: string, output: Output, options: ControlOptions, object: string): Promise<void> {
  const result = (await callNamedDaemon(options, { command, arguments: { object } })) as PublishResult
  output.result(result, () => {
    const { stdout } = output.streams
    const rows = [
      ['guid', result.guid],
      ['time', formatDuration(result.elapsedMs)],
    ] as const
    return `${paint('bold', `${done} ${printable(object)}`, stdout)}\n${fields(rows, (text) => paint('dim', text, stdout))}`
  })
}
