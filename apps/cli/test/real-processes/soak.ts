// npm run soak -w apps/cli [-- SEED [OVERLAY]]: 12 daemons as real processes, 200 files of 1 B to 8 MiB, kill -9 of four of them, then of all. Ends with
// status 0 only if every acknowledged file came back byte for byte from every daemon. Takes some minutes, and 15 at most.

import { defaultOverlay } from '../../src/overlays.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { Scenario } from './scenario.ts'

const mebibyte = 1024 * 1024
const mostMs = 15 * 60_000

const [seed = 'soak', overlay = defaultOverlay] = process.argv.slice(2)
const startedAt = performance.now()
const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`
const say = (line: string): void => console.log(`${elapsed()}  ${line}`)

const folder = await temporaryFolder()
const scenario = new Scenario({
  overlay,
  daemons: 12,
  files: 200,
  minBytes: 1,
  maxBytes: 8 * mebibyte,
  kills: 4,
  killEveryMs: 10_000,
  restartAfterMs: 15_000,
  seed,
  folder: folder.path,
  say,
})
setTimeout(() => {
  say(`not done after ${mostMs / 60_000} minutes`)
  process.exit(1)
}, mostMs).unref()

say(`seed ${seed}, overlay ${overlay}; data in ${folder.path}`)
try {
  const { acknowledged, bytes, putsRefused, reads, readsRepeated, failures } = await scenario.run()
  say(`${acknowledged} files acknowledged, ${(bytes / mebibyte).toFixed(1)} MiB; ${putsRefused} puts were refused and repeated`)
  say(`${reads - failures.length} of ${reads} reads gave every byte back; ${readsRepeated} ended with an error at first and were repeated`)
  process.exitCode = failures.length === 0 ? 0 : 1
} catch (error) {
  say(`failed: ${(error as Error).message}`)
  process.exitCode = 1
} finally {
  await folder.remove()
}
