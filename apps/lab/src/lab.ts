import { compareCommand } from './compare/command.ts'
import { UsageError } from './options.ts'

/** Where a command writes. */
export interface Streams {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
}

type Command = (args: readonly string[], streams: Streams) => boolean

const usage = `Usage: plaxton-lab COMMAND [OPTION…]      (in the repository: npm run lab -- COMMAND [OPTION…])

  compare   puts the overlays through the same workload in the simulator: a table here, and compare.html (plots) and compare.json in a folder
            --overlays pastry,tapestry (default: all there are)   --nodes 200   --seeds 1 or 1..5
            --topology transit-stub (Chord paper's links), can (CAN paper's), plane or uniform
            --session 30 (mean, minutes, under churn)   --minutes 10 (of quiet, and of churn)
            --out lab-results   --json (prints JSON instead of the table)

Ends with status 1 when an overlay failed. The same seeds give the same figures everywhere.
`

const commands: Readonly<Record<string, Command>> = { compare: compareCommand }

/** Runs the lab with these arguments and returns the status to end with: 0 done, 1 something did not hold, 2 called wrongly. */
export function run(args: readonly string[], streams: Streams = process): number {
  const [name, ...rest] = args
  if (name === 'help' || args.includes('--help')) {
    streams.stdout.write(usage)
    return 0
  }
  const command = Object.hasOwn(commands, name ?? '') ? commands[name!] : undefined
  if (command === undefined) {
    streams.stderr.write(usage)
    return 2
  }
  try {
    return command(rest, streams) ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error
    streams.stderr.write(`${error.message}\n`)
    return 2
  }
}
