import { formatBytes, formatCount, formatDuration, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { callNamedDaemon, fields } from './client.ts'
import { contentAt } from './content.ts'
import type { ControlOptions } from '../control/address.ts'
import type { PutResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

export interface PutOptions extends ControlOptions {
  readonly replicas?: number
  readonly quorum?: string
  readonly name?: string
}

/** `plaxton put`: stores a file, a folder or stdin. */
export async function put(output: Output, options: PutOptions, path: string): Promise<void> {
  const content = await contentAt(path)
  const { type, total } = content
  const name = options.name ?? content.name
  for (const skipped of content.skipped) output.note(`left out: ${printable(skipped)} is neither a file nor a folder`)
  try {
    const result = (await callNamedDaemon(options, {
      command: 'put',
      arguments: { type, name, replicas: options.replicas, quorum: options.quorum },
      onQuestion: ({ header }) => content.answer(header),
      onFrame: ({ header }) =>
        output.progress.show({ label: `storing ${printable(name)}`, done: header['done'] as number, total, unit: 'bytes' }),
    })) as PutResult
    output.result(result, () => asText(result, output))
  } finally {
    await content.close()
  }
}

function asText(result: PutResult, { streams }: Output): string {
  const { guid, cid, name, size, blocks, replicas, wanted, elapsedMs } = result
  const rows = [
    ['guid', guid],
    ['cid', cid],
    ['size', `${formatBytes(size)} in ${formatCount(blocks, 'block')}`],
    ['replicas', `${replicas} durable so far, ${wanted} wanted`],
    ['time', formatDuration(elapsedMs)],
  ] as const
  return `${paint('bold', `stored ${printable(name)}`, streams.stdout)}\n${fields(rows, (text) => paint('dim', text, streams.stdout))}`
}
