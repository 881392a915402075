import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for one test, gone after it. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  // The name is short: the path of a control socket in it has about 100 bytes at most.
  const path = await mkdtemp(join(tmpdir(), 'plx-'))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}
