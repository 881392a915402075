import { formatCount, formatDuration, printable } from '../output/format.ts'
import { callNamedDaemon } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { RemoveResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

/** `plaxton rm`: removes a file or folder that was put through this daemon. */
export async function rm(output: Output, options: ControlOptions, root: string): Promise<void> {
  const result = (await callNamedDaemon(options, {
    command: 'rm',
    arguments: { root },
    onFrame: ({ header }) =>
      output.progress.show({
        label: 'removing',
        done: header['done'] as number,
        total: header['total'] as number | undefined,
        unit: 'count',
      }),
  })) as RemoveResult
  output.result(result, () => {
    const { name, cid, removed, kept, missing, notOwned, elapsedMs } = result
    const rest = [
      kept > 0 ? `${formatCount(kept, 'block is', 'blocks are')} kept, for other files need them` : '',
      missing > 0 ? `${formatCount(missing, 'block was', 'blocks were')} gone already` : '',
      notOwned > 0 ? `${formatCount(notOwned, 'block belongs', 'blocks belong')} to others` : '',
    ]
    return [`removed ${printable(name ?? cid)}: ${formatCount(removed, 'block')} in ${formatDuration(elapsedMs)}`, ...rest]
      .filter((line) => line !== '')
      .join('\n')
  })
}
