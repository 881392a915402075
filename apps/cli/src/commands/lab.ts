import { PlaxtonError } from '@plaxton/kbr'
import type { Streams } from '../output/output.ts'

/** What the lab brings: one function that takes the rest of the command line. */
interface Lab {
  run(args: readonly string[], streams: Streams): Promise<number>
}

/**
 * `lab`: hands all that follows to `@plaxton/lab`, which is installed apart from this package because it brings the simulator and every overlay along.
 * Resolves with the status to end with. Throws an error that says how to get it when it is not there.
 */
export async function lab(
  args: readonly string[],
  streams: Streams,
  load: () => Promise<Lab> = () => import('@plaxton/lab'),
): Promise<number> {
  return (await installed(load)).run(args, streams)
}

async function installed(load: () => Promise<Lab>): Promise<Lab> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(packageName)) throw error
    const hint = `the lab is a package of its own and not installed here: npm install ${packageName}`
    throw new PlaxtonError('NoLabError', 'ERR_NO_LAB', hint, { cause: error })
  }
}

const packageName = '@plaxton/lab'
