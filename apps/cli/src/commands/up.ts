import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setMaxListeners } from 'node:events'
import { InterruptedError, UsageError, exitCodes } from '../errors.ts'
import { formatDuration } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { virtualNodes } from '../daemon/config.ts'
import { defaultOverlay, overlayNamed } from '../overlays.ts'
import { inputFrom } from '../up/input.ts'
import { LocalNetwork } from '../up/local-network.ts'
import { MainJob, replicas } from '../up/main-job.ts'
import { StepFailedError, StepList } from '../up/step-list.ts'
import { joinCommand } from './join-command.ts'
import type { ExitCode } from '../errors.ts'
import type { Output } from '../output/output.ts'

export interface UpOptions {
  readonly nodes: number
  readonly input?: string
  readonly kill?: number
  readonly overlay?: string
  readonly virtualNodes?: number
  readonly data?: string
  readonly exit?: boolean
}

/** Nodes of one process: a connection takes 20 ms of CPU at both ends together, and every node knows 16 others. */
const maxNodes = 64

/** `plaxton up`: a network on this computer that shows what it can do, and stays for the user to try. */
export async function up(output: Output, options: UpOptions): Promise<ExitCode> {
  const kill = checked(options)
  const overlay = await overlayNamed(options.overlay ?? defaultOverlay)
  const input = await inputFrom(options.input)
  const interrupted = interruption()
  const network = await LocalNetwork.in(options.data, overlay, virtualNodes(options.virtualNodes ?? 1))
  const steps = new StepList(output)
  try {
    headline(output, options.nodes)
    await new MainJob(network, input, steps, interrupted.signal).run(options.nodes, kill)
    output.result(
      reportOf(true, steps, options),
      () => `\n  ${paint(['green', 'bold'], 'All of it held', output.streams.stdout)}, in ${formatDuration(steps.elapsedMs)}.`,
    )
    if (options.exit !== true) await stay(output, network, interrupted)
    return exitCodes.ok
  } catch (error) {
    if (interrupted.signal.aborted) throw interrupted.signal.reason
    if (!(error instanceof StepFailedError)) throw error
    if (output.json) output.result(reportOf(false, steps, options, error), () => '')
    else output.failure(error)
    return exitCodes.failed
  } finally {
    await network.end()
  }
}

/** The number of nodes to kill. Throws `UsageError` for a request that cannot end well. */
function checked({ nodes, kill }: UpOptions): number {
  if (nodes < 1 || nodes > maxNodes)
    throw new UsageError(`--nodes is ${nodes}, allowed is 1 to ${maxNodes}; a larger network runs in the simulator`)
  const most = Math.min(replicas - 1, nodes - 1)
  if (kill === undefined) return Math.min(most, Math.floor(nodes / 2))
  if (kill > most) {
    const why = nodes <= replicas ? `one of ${nodes} must be left` : `every block has ${replicas} copies, and one of them must be left`
    throw new UsageError(`--kill is ${kill}, allowed is 0 to ${most}: ${why}`)
  }
  return kill
}

function headline(output: Output, nodes: number): void {
  if (output.json) return
  const { stdout } = output.streams
  stdout.write(`\n  ${paint('bold', 'Plaxton')}, a network of ${nodes === 1 ? '1 node' : `${nodes} nodes`} on this computer\n\n`)
}

/** Says how to talk to the first node, and resolves when the user has had enough. */
async function stay(output: Output, network: LocalNetwork, interrupted: Interruption): Promise<void> {
  if (!output.json) {
    const { stdout } = output.streams
    const dim = (text: string): string => paint('dim', text, stdout)
    const lines = [
      '',
      `  The network stays up until Ctrl-C. In another terminal:`,
      '',
      ...aliasLines().map((line) => `    ${line}`),
      `    export PLAXTON_CONTROL=${network.daemon.controlPath}`,
      `    plaxton ls              ${dim('# what has been stored')}`,
      `    plaxton stat CID        ${dim('# who holds it')}`,
      `    plaxton put FILE        ${dim('# and get, rm, peers, lookup, status; plaxton --help')}`,
      `    plaxton host name:echo --exec cat     ${dim('# an object that answers messages')}`,
      `    plaxton send name:echo hello          ${dim('# from another terminal')}`,
      '',
      `  To add a node of your own:`,
      '',
      `    ${joinCommand(network.daemon.node)}`,
      '',
    ]
    stdout.write(`${lines.join('\n')}\n`)
  }
  interrupted.nowWelcome()
  await interrupted.received
  output.note('\nstopping all nodes')
}

/** From the sources there is no command of that name to call: this makes one. */
function aliasLines(): string[] {
  if (!import.meta.url.endsWith('.ts')) return []
  const ownPackage = dirname(createRequire(import.meta.url).resolve('@plaxton/cli/package.json'))
  return [`alias plaxton='node ${join(ownPackage, '..', '..', 'scripts', 'run.mjs')} ${join(ownPackage, 'src', 'main.ts')}'`]
}

function reportOf(ok: boolean, steps: StepList, { nodes }: UpOptions, error?: StepFailedError): unknown {
  return {
    ok,
    nodes,
    elapsedMs: Math.round(steps.elapsedMs),
    steps: steps.reports,
    ...(error === undefined ? {} : { failed: error.step, error: error.message }),
  }
}

interface Interruption {
  /** Ends the job. */
  readonly signal: AbortSignal
  /** Resolves at the first signal. */
  readonly received: Promise<void>
  /** From now on a signal is what is being waited for, and no interruption. */
  nowWelcome(): void
}

/** The first Ctrl-C ends what is going on, and a second one the process. */
function interruption(): Interruption {
  const controller = new AbortController()
  // One signal serves all calls of the job.
  setMaxListeners(Infinity, controller.signal)
  let welcome = false
  let count = 0
  const received = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (++count > 1) process.exit(exitCodes.interrupted)
        if (!welcome) controller.abort(new InterruptedError())
        resolve()
      })
    }
  })
  return {
    signal: controller.signal,
    received,
    nowWelcome: () => {
      welcome = true
    },
  }
}
