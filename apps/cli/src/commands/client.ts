import { controlPath } from '../control/address.ts'
import { callDaemon } from '../control/client.ts'
import { InterruptedError } from '../errors.ts'
import type { ControlOptions } from '../control/address.ts'
import type { CallInit } from '../control/client.ts'

/** Calls the daemon that the options name. Ctrl-C ends the call, and a second one the process. */
export async function callNamedDaemon(options: ControlOptions, call: Omit<CallInit, 'path' | 'signal'>): Promise<unknown> {
  const interrupted = new AbortController()
  const onSignal = (): void => interrupted.abort(new InterruptedError())
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  try {
    return await callDaemon({ ...call, path: controlPath(options), signal: interrupted.signal })
  } finally {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** Lines of a name and a value, the names dimmed by `dim`. */
export function fields(rows: ReadonlyArray<readonly [name: string, value: string]>, dim: (text: string) => string): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${dim(name.padEnd(width))}  ${value}`).join('\n')
}
