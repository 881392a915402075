import { PassThrough } from 'node:stream'
import { run } from '../../src/cli.ts'
import type { Ended } from './plaxton-process.ts'

/** Runs `plaxton` in this process, which is much faster than one of its own and differs from it in nothing but its standard streams. */
export async function runHere(args: readonly string[]): Promise<Omit<Ended, 'signal'>> {
  const out = captured()
  const err = captured()
  const status = await run(args, { stdout: out.stream, stderr: err.stream })
  const bytes = out.bytes()
  return { status, bytes, stdout: bytes.toString('utf8'), stderr: err.bytes().toString('utf8') }
}

/** A stream that is no terminal and keeps what is written. */
export function captured(): { readonly stream: NodeJS.WriteStream; bytes(): Buffer } {
  const chunks: Buffer[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream: stream as unknown as NodeJS.WriteStream, bytes: () => Buffer.concat(chunks) }
}
