import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { maxBodyBytes } from '../control/frames.ts'
import { UsageError } from '../errors.ts'
import { formatBytes } from '../output/format.ts'
import { callNamedDaemon } from './client.ts'
import type { ControlOptions } from '../control/address.ts'
import type { SendResult } from '../control/protocol.ts'
import type { Output } from '../output/output.ts'

export interface SendOptions extends ControlOptions {
  /** Hosts to send to at most. */
  readonly n?: number
  /** Seconds to wait for replies. */
  readonly timeout?: number
}

/** `plaxton send`: sends a message, or what comes in on stdin, to the nearest hosts of an object; their replies go to stdout as they come. */
export async function send(output: Output, options: SendOptions, object: string, message?: string): Promise<void> {
  const { n = 1, timeout } = options
  if (timeout === 0) throw new UsageError('--timeout is 0, allowed is 1 second or more')
  const replies: Uint8Array[] = []
  if (message === undefined && process.stdin.isTTY) output.note('the message comes from the keyboard: Ctrl-D ends it')
  const result = (await callNamedDaemon(options, {
    command: 'send',
    arguments: { object, n, timeoutMs: timeout === undefined ? undefined : timeout * 1000 },
    onQuestion: async () => ({ header: { type: 'data' }, body: await bytesOf(message) }),
    onFrame: async ({ header, body }) => {
      if (header.type !== 'reply' || body === undefined) return
      if (output.json) replies.push(body)
      else await print(output, body, n > 1)
    },
  })) as SendResult
  if (result.replies < n) output.note(`${result.replies} of ${n} hosts replied`)
  output.result({ ...result, replies: replies.map(asJson) }, () => '')
}

async function bytesOf(message: string | undefined): Promise<Uint8Array> {
  const bytes = message === undefined ? await readStdin() : Buffer.from(message, 'utf8')
  if (bytes.length > maxBodyBytes) throw new UsageError(`the message is longer than ${formatBytes(maxBodyBytes)}`)
  return bytes
}

/** All that comes in on stdin, or as much as shows that it is too much. */
async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBodyBytes) break
  }
  return Buffer.concat(chunks)
}

/** A reply byte for byte; but several, or one on a terminal, each end with a line. */
async function print({ streams }: Output, reply: Uint8Array, isOneOfSeveral: boolean): Promise<void> {
  const { stdout } = streams
  const needsEnd = (isOneOfSeveral || stdout.isTTY) && reply.at(-1) !== 0x0a
  if (stdout.write(needsEnd ? Buffer.concat([reply, Buffer.from('\n')]) : reply)) return
  await Promise.race([once(stdout, 'drain'), once(stdout, 'close')])
}

/** Text where a reply is text; else base64. */
function asJson(reply: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const bytes = Buffer.from(reply)
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
}
