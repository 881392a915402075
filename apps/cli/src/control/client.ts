import { RemoteError } from '../errors.ts'
import { ControlChannel } from './channel.ts'
import { openSocket } from './connect.ts'
import { ControlProtocolError } from './frames.ts'
import { protocolVersion } from './protocol.ts'
import type { Frame, FrameHeader } from './frames.ts'

/** How to call a daemon. */
export interface CallInit {
  /** Path of its control socket. */
  readonly path: string
  readonly command: string
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
  /** Each frame on the way to the result, one at a time: the daemon waits while it is being handled. */
  readonly onFrame?: (frame: Frame) => void | Promise<void>
  /** Answers the daemon's questions, `answersAtOnce` at a time, by default one after the other. */
  readonly onQuestion?: (question: Frame) => Promise<Answer>
  readonly answersAtOnce?: number
}

/** What a client answers. */
export interface Answer {
  readonly header: FrameHeader
  readonly body?: Uint8Array
}

/** Calls a daemon. Resolves with its result; rejects with `RemoteError`, `NoDaemonError` or the signal's reason. */
export async function callDaemon(init: CallInit): Promise<unknown> {
  const { path, command, signal } = init
  const channel = new ControlChannel(await openSocket(path))
  const abort = (): void => channel.destroy()
  signal?.addEventListener('abort', abort)
  try {
    signal?.throwIfAborted()
    await channel.send({ type: 'call', plaxton: protocolVersion, command, arguments: init.arguments ?? {} })
    return await readAnswer(channel, init)
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason
    throw isSocketError(error) ? daemonEnded() : error
  } finally {
    signal?.removeEventListener('abort', abort)
    channel.destroy()
  }
}

async function readAnswer(channel: ControlChannel, { onFrame, onQuestion, answersAtOnce = 1 }: CallInit): Promise<unknown> {
  const answers = new Answers(channel, onQuestion, answersAtOnce)
  const read = async (): Promise<unknown> => {
    for await (const frame of channel.frames) {
      const { header } = frame
      if (header.type === 'result') return header['value']
      if (header.type === 'error') throw new RemoteError(String(header['code']), String(header['message']))
      if (header['id'] === undefined) await onFrame?.(frame)
      else answers.give(frame)
    }
    throw daemonEnded()
  }
  return Promise.race([read(), answers.failed])
}

/** A connection that breaks does so because the daemon was killed: they are on one computer. */
function isSocketError(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function daemonEnded(): ControlProtocolError {
  return new ControlProtocolError('the daemon ended before it had answered; its own output may say why')
}

/**
 * Answers questions in their order, beside the reading of frames: content may take its time to come in, and meanwhile the daemon may say
 * that it needs no more. How many wait is for the daemon to bound, which is the one that asks.
 */
class Answers {
  /** Never resolves; rejects when a question cannot be answered. */
  readonly failed: Promise<never>
  private readonly channel: ControlChannel
  private readonly onQuestion: CallInit['onQuestion']
  private readonly atOnce: number
  private readonly fail: (error: unknown) => void
  private readonly waiting: Frame[] = []
  private underWay = 0

  constructor(channel: ControlChannel, onQuestion: CallInit['onQuestion'], atOnce: number) {
    this.channel = channel
    this.onQuestion = onQuestion
    this.atOnce = atOnce
    const { promise, reject } = Promise.withResolvers<never>()
    this.failed = promise
    this.fail = reject
  }

  give(question: Frame): void {
    this.waiting.push(question)
    if (this.underWay < this.atOnce) void this.work()
  }

  private async work(): Promise<void> {
    this.underWay++
    try {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) await this.answer(next)
    } catch (error) {
      this.fail(error)
    } finally {
      this.underWay--
    }
  }

  private async answer(question: Frame): Promise<void> {
    const { onQuestion, channel } = this
    const { type, id } = question.header
    if (onQuestion === undefined) throw new ControlProtocolError(`the daemon asks for ${type}, which this command does not have`)
    const { header, body } = await onQuestion(question)
    // A daemon that takes no more has said why, or will.
    await channel.send({ ...header, id }, body).catch(() => {})
  }
}
