import { commands } from './commands.ts'
import { UsageError } from './options.ts'

/** Where a command writes. */
export interface Streams {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
}

/** Returns whether all is well. */
export type Command = (args: readonly string[], streams: Streams) => boolean | Promise<boolean>

const usage = `Usage: plaxton-lab COMMAND [OPTION…]
       plaxton lab COMMAND [OPTION…]
       npm run lab -- COMMAND [OPTION…]      (in the repository)

  compare   puts the overlays through the same workload in the simulator: a table here, and compare.html (plots) and compare.json in a folder
            --overlays pastry,tapestry (default: all there are)   --nodes 200   --seeds 1 or 1..5
            --topology transit-stub (Chord paper's links), can (CAN paper's), plane or uniform
            --session 30 (mean, minutes, under churn)   --minutes 10 (of quiet, and of churn)
            --out lab-results   --json (prints JSON instead of the table)
  claims    what is claimed for overlays over routing by IP alone, measured row by row: held, not held, or not built yet
            --overlay pastry (or several, or all)   --nodes 100   --seed 1   --json
            --rows scale,security (default: all seven)
  fuzz      draws small networks and what goes wrong in them until a check of the simulator fails; shrinks that, and prints the line that repeats it
            --overlay pastry   --minutes 1 or --runs 100   --seed 1 (of the first run)   --nodes 16 (at the beginning, at most)
            --jobs 2 (processes; what is printed is the same)   --json (a line for each run)
            --replay 'seed 1; on plane; 0 start 0; …' runs one scenario again, as it was printed or changed by hand
  run       one experiment of the papers: run chord path. Our figures, the published ones, those of ideal tables, and whether each claim held
            --seed 1 or --seeds 1..3   --nodes, --lookups, --repeats, --objects, --minutes (default: what list says)   --overlay: the same of another
            --json   --svg FILE (its plots)   --save (keeps it under docs/results, and writes the page there anew)   --out docs/results
  page      writes that page anew from all that is kept
            --out docs/results
  list      all experiments, here and under npm run simulate: what each measures, whose figure it repeats, its size and its cost in messages
            --json

Ends with status 1 when an overlay failed, a claim did not hold or a check found something. The same seeds give the same figures everywhere.
`

/** Runs the lab with these arguments and returns the status to end with: 0 done, 1 something did not hold, 2 called wrongly. */
export async function run(args: readonly string[], streams: Streams = process): Promise<number> {
  const [name, ...rest] = args
  if (name === 'help' || args.includes('--help')) {
    streams.stdout.write(usage)
    return 0
  }
  const found = Object.hasOwn(commands, name ?? '') ? commands[name!] : undefined
  if (found === undefined) {
    streams.stderr.write(usage)
    return 2
  }
  try {
    const command = await found.load()
    return (await command(rest, streams)) ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error
    streams.stderr.write(`${error.message}\n`)
    return 2
  }
}
