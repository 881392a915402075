import { controlPath } from '../control/address.ts'
import { callDaemon } from '../control/client.ts'
import { InterruptedError, UsageError, exitCodes } from '../errors.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../output/format.ts'
import { paint } from '../output/output.ts'
import { CommandRunner } from './command-runner.ts'
import type { ControlOptions } from '../control/address.ts'
import type { Answer } from '../control/client.ts'
import type { Frame } from '../control/frames.ts'
import type { HostResult, HostingItem } from '../control/protocol.ts'
import type { ExitCode } from '../errors.ts'
import type { Output } from '../output/output.ts'

export interface HostOptions extends ControlOptions {
  /** The command that answers a message. */
  readonly exec: string
  /** Seconds it may take. */
  readonly timeout: number
  /** How many may run at a time. */
  readonly jobs: number
}

/** A handler that has not answered in a minute has refused, as DOLR sees it by default. */
const maxTimeout = 60
const maxJobs = 64

/** `plaxton host`: publishes objects, and answers each message to them with what a command makes of it, until it is told to stop. */
export async function host(output: Output, options: HostOptions, objects: readonly string[]): Promise<ExitCode> {
  const { exec, timeout, jobs } = options
  if (exec.trim() === '') throw new UsageError('--exec is empty: say the command that answers a message')
  if (timeout < 1 || timeout > maxTimeout) throw new UsageError(`--timeout is ${timeout}, allowed is 1 to ${maxTimeout} seconds`)
  if (jobs < 1 || jobs > maxJobs) throw new UsageError(`--jobs is ${jobs}, allowed is 1 to ${maxJobs}`)
  const hosting = new Hosting(output, objects, new CommandRunner({ command: exec, withinMs: timeout * 1000 }))
  const stop = stopSignals(() => output.note('no more messages are taken; a second signal ends what is running'))
  try {
    const result = (await callDaemon({
      path: controlPath(options),
      command: 'host',
      arguments: { objects },
      signal: stop.atOnce,
      onFrame: ({ header }) => hosting.begin(header['value'] as HostingItem),
      // One more than commands: the daemon's question until when is open all the time.
      answersAtOnce: jobs + 1,
      onQuestion: (question) => (question.header.type === 'until' ? stop.asked.then(() => ending) : hosting.answer(question)),
    })) as HostResult
    hosting.end(result)
    return exitCodes.ok
  } finally {
    hosting.abandon()
    stop.forget()
  }
}

const ending: Answer = { header: { type: 'end' } }

/** What is told of the hosting, and how messages are answered. */
class Hosting {
  private readonly output: Output
  private readonly objects: readonly string[]
  private readonly runner: CommandRunner
  private names = new Map<string, string>()

  constructor(output: Output, objects: readonly string[], runner: CommandRunner) {
    this.output = output
    this.objects = objects
    this.runner = runner
  }

  /** All objects are known to the network. */
  begin({ guids }: HostingItem): void {
    const { output, objects } = this
    this.names = new Map(guids.map((guid, index) => [guid, objects[index] ?? guid]))
    const { stdout } = output.streams
    if (output.json) {
      const list = guids.map((guid) => ({ object: this.nameOf(guid), guid }))
      stdout.write(`${JSON.stringify({ type: 'hosting', objects: list, pid: process.pid })}\n`)
      return
    }
    for (const guid of guids) {
      const name = this.nameOf(guid)
      stdout.write(name === guid ? `hosting ${guid}\n` : `hosting ${printable(name)}, guid ${guid}\n`)
    }
    output.note(paint('dim', 'each message goes to the command; Ctrl-C withdraws', output.streams.stderr))
  }

  async answer({ header, body = new Uint8Array() }: Frame): Promise<Answer> {
    const guid = String(header['guid'])
    const name = this.nameOf(guid)
    const startedAt = performance.now()
    const outcome = await this.runner.run(body, { PLAXTON_OBJECT: name, PLAXTON_GUID: guid })
    const tell = (what: string): void =>
      this.output.note(`${printable(name)}: ${formatBytes(body.length)} in, ${what}, ${formatDuration(performance.now() - startedAt)}`)
    if (!outcome.ok) {
      tell(`refused: ${outcome.reason}`)
      return { header: { type: 'refusal', reason: outcome.reason } }
    }
    tell(`${formatBytes(outcome.reply.length)} out`)
    return { header: { type: 'reply' }, body: outcome.reply }
  }

  end({ answered, refused, hostedMs }: HostResult): void {
    const count = formatCount(answered, 'message')
    this.output.note(`answered ${count}, refused ${refused}, in ${formatDuration(hostedMs)}; unpublished`)
  }

  /** Nothing that still runs is waited for by anybody. */
  abandon(): void {
    this.runner.end()
  }

  private nameOf(guid: string): string {
    return this.names.get(guid) ?? guid
  }
}

interface StopSignals {
  /** Resolves at the first signal. */
  readonly asked: Promise<void>
  /** Ends the call at the second. */
  readonly atOnce: AbortSignal
  forget(): void
}

function stopSignals(onFirst: () => void): StopSignals {
  const atOnce = new AbortController()
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  let count = 0
  const onSignal = (): void => {
    if (++count > 1) return atOnce.abort(new InterruptedError())
    onFirst()
    resolve()
  }
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const name of names) process.on(name, onSignal)
  return {
    asked,
    atOnce: atOnce.signal,
    forget: () => {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
