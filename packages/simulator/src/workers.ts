import { spawn } from 'node:child_process'

/**
 * Runs pieces of work side by side, `jobs` at a time, and hands over what they came to in the order of the pieces, whichever is done first: so that what is made of it does not depend on
 * `jobs`. Takes no further piece, and hands over nothing more, when `onResult` returns false. Rejects when a piece does.
 */
export async function sideBySide<Piece, Result>(
  pieces: Iterable<Piece>,
  jobs: number,
  run: (piece: Piece) => Promise<Result>,
  onResult: (result: Result) => boolean,
): Promise<void> {
  const left = pieces[Symbol.iterator]()
  /** Done, and waiting for those before them; at most as many as are done while the slowest runs. */
  const done = new Map<number, Result>()
  let taken = 0
  let handedOver = 0
  let goOn = true
  const worker = async (): Promise<void> => {
    for (let next = left.next(); goOn && next.done !== true; next = left.next()) {
      const index = taken++
      done.set(index, await run(next.value))
      for (; goOn && done.has(handedOver); handedOver++) {
        goOn = onResult(done.get(handedOver)!)
        done.delete(handedOver)
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
}

/**
 * What a process of this very Node prints that runs a script with these arguments. Status 1 means that something did not hold, which its output says as well; any other but 0
 * rejects. What it says on stderr goes through.
 */
export function outputOf(script: string, args: readonly string[]): Promise<{ readonly stdout: string; readonly holds: boolean }> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 || code === 1) resolve({ stdout, holds: code === 0 })
      else reject(new Error(`the process for ${args.join(' ')} ended with ${code ?? signal}`))
    })
  })
}

/** What a process printed with `--json`: one value on each line. */
export function parseLines<T>(stdout: string): T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** Pieces of so many of the seeds that follow one another. */
export function chunksOf(seeds: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(seeds.length / size) }, (_, i) => seeds.slice(i * size, (i + 1) * size))
}
