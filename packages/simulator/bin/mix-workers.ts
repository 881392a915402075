import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { MixResult, Violation } from '../src/index.ts'

/** A result as it travels between processes: what `--json` prints. */
export type MixReport = Omit<MixResult, 'violations'> & {
  readonly violations: { readonly total: number; readonly byCheck: Readonly<Record<string, number>>; readonly kept: readonly Violation[] }
}

/** Seeds a process runs before the next begins: enough that starting it and warming up costs little, few enough that no process idles at the end. */
const seedsPerProcess = 10

/**
 * Runs the mix with these options on these seeds in `jobs` processes at a time and calls `onReport` as reports come, which may be out of order. A process that dies
 * rejects. Ends early when `onReport` returns false.
 */
export async function mixInWorkers(
  seeds: readonly number[],
  options: readonly string[],
  jobs: number,
  onReport: (report: MixReport) => boolean,
): Promise<void> {
  const left = [...seeds]
  let goOn = true
  const worker = async (): Promise<void> => {
    while (goOn && left.length > 0) {
      const chunk = left.splice(0, seedsPerProcess)
      await runProcess(chunk, options, (report) => {
        if (goOn && !onReport(report)) goOn = false
      })
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
}

/** `seeds` follow one another. */
function runProcess(seeds: readonly number[], options: readonly string[], onReport: (report: MixReport) => void): Promise<void> {
  const command = fileURLToPath(new URL('simulate.ts', import.meta.url))
  const args = ['mix', '--seeds', `${seeds[0]}..${seeds.at(-1)}`, ...options, '--json']
  const child = spawn(process.execPath, [...process.execArgv, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).on('line', (line) => onReport(JSON.parse(line) as MixReport))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // Status 1 says that a checker found something, which the reports say as well.
      if (code === 0 || code === 1) resolve()
      else reject(new Error(`the process for seeds ${seeds[0]} to ${seeds.at(-1)} ended with ${code ?? signal}`))
    })
  })
}
