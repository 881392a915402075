import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { PlaxtonError } from '@plaxton/kbr'
import { reportOf } from '../errors.ts'
import { socketAddress } from './address.ts'
import { ControlChannel } from './channel.ts'
import { isAnswered } from './connect.ts'
import { ControlProtocolError } from './frames.ts'
import { protocolVersion } from './protocol.ts'
import type { Server, Socket } from 'node:net'
import type { Frame, FrameHeader } from './frames.ts'

/** One call of a client, as its handler sees it. */
export interface Call {
  readonly arguments: Readonly<Record<string, unknown>>
  /** Ends when the client has gone or the daemon stops. */
  readonly signal: AbortSignal
  /** Tells the client something on the way to the result; resolves when there is room for more. */
  readonly tell: (header: FrameHeader, body?: Uint8Array) => Promise<void>
  /** Asks the client and resolves with its answer: so content comes as it is needed, and no faster. */
  readonly ask: (header: FrameHeader, body?: Uint8Array) => Promise<Frame>
}

/** Carries out a command; what it returns is the result, what it throws the error the client is told. */
export type Handler = (call: Call) => Promise<unknown>

/** Clients at a time; a further one is told so. Our choice: far more than a person or a script starts at once. */
const maxClients = 64

/** A client that has connected must have said what it wants within this time. */
const callWithinMs = 10_000

/** A stopping server waits this long for handlers to notice. */
const stopWithinMs = 1_000

/** Listens for the clients of one daemon on a socket that only its user may open. */
export class ControlServer {
  readonly path: string
  private readonly handlers: Readonly<Record<string, Handler>>
  private readonly server: Server
  private readonly clients = new Set<Promise<void>>()
  private readonly stopping = new AbortController()

  private constructor(path: string, handlers: Readonly<Record<string, Handler>>) {
    this.path = path
    this.handlers = handlers
    this.server = createServer((socket) => this.accept(socket))
  }

  /** Listens at `path`. What a daemon that was killed left there is replaced; rejects when one that lives answers. */
  static async listen(path: string, handlers: Readonly<Record<string, Handler>>): Promise<ControlServer> {
    const address = socketAddress(path)
    if (await isAnswered(path)) {
      throw new PlaxtonError(
        'DaemonRunningError',
        'ERR_DAEMON_RUNNING',
        `a daemon answers at ${path} already: stop it, or give this one another --data or --control`,
      )
    }
    if (process.platform !== 'win32') await rm(address, { force: true })
    const control = new ControlServer(path, handlers)
    await control.listenAt(address)
    return control
  }

  /** Takes no more calls and aborts those under way. */
  async close(): Promise<void> {
    this.stopping.abort(new PlaxtonError('NotReadyError', 'ERR_NOT_READY', 'the daemon is stopping'))
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    await Promise.race([Promise.all([closed, ...this.clients]), expired(stopWithinMs)])
  }

  private listenAt(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      // The socket is made during this call, so it never has other permissions than these.
      const mask = process.umask(0o177)
      try {
        this.server.listen(address, () => {
          this.server.off('error', reject)
          resolve()
        })
      } finally {
        process.umask(mask)
      }
    })
  }

  private accept(socket: Socket): void {
    const channel = new ControlChannel(socket)
    if (this.clients.size >= maxClients || this.stopping.signal.aborted) {
      void refuse(channel, 'ERR_OVERLOADED', `the daemon serves ${maxClients} clients already; try again`)
      return
    }
    const served = this.serve(channel).finally(() => this.clients.delete(served))
    this.clients.add(served)
  }

  /** One connection is one call. Never rejects. */
  private async serve(channel: ControlChannel): Promise<void> {
    const gone = new AbortController()
    const signal = AbortSignal.any([gone.signal, this.stopping.signal])
    try {
      const { handler, args } = await this.readCall(channel)
      const questions = new Questions(channel, gone)
      const call: Call = {
        arguments: args,
        signal,
        tell: (header, body) => channel.send(header, body),
        ask: (header, body) => questions.ask(header, body),
      }
      const value = await orAborted(handler(call), signal)
      await channel.send({ type: 'result', value: value ?? null })
      channel.end()
    } catch (error) {
      const { code, message } = reportOf(error)
      await refuse(channel, code, message)
    }
  }

  private async readCall(channel: ControlChannel): Promise<{ handler: Handler; args: Record<string, unknown> }> {
    const timer = setTimeout(() => channel.destroy(), callWithinMs)
    try {
      const first = await channel.frames.next()
      if (first.done === true) throw new ControlProtocolError('nothing was asked')
      const { type, plaxton, command, arguments: args = {} } = first.value.header
      if (type !== 'call') throw new ControlProtocolError('the first frame is not a call')
      if (plaxton !== protocolVersion) {
        throw new ControlProtocolError(
          `the daemon speaks version ${protocolVersion} of the control protocol and the client version ${String(plaxton)}: use the same plaxton for both`,
        )
      }
      const handler = typeof command === 'string' && Object.hasOwn(this.handlers, command) ? this.handlers[command] : undefined
      if (handler === undefined) throw new ControlProtocolError(`the daemon knows no command ${String(command).slice(0, 32)}`)
      if (typeof args !== 'object' || args === null || Array.isArray(args))
        throw new ControlProtocolError('the arguments are not an object')
      return { handler, args: args as Record<string, unknown> }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The daemon's questions to one client. Always reading, so that a client that goes away is noticed at once. */
class Questions {
  private readonly channel: ControlChannel
  private readonly gone: AbortController
  /** Waiting for their answers, by id. Bounded by the handlers, which say how many they ask at a time. */
  private readonly open = new Map<number, { readonly resolve: (frame: Frame) => void; readonly reject: (error: unknown) => void }>()
  private asked = 0

  constructor(channel: ControlChannel, gone: AbortController) {
    this.channel = channel
    this.gone = gone
    void this.readAnswers()
  }

  ask(header: FrameHeader, body?: Uint8Array): Promise<Frame> {
    return new Promise((resolve, reject) => {
      this.gone.signal.throwIfAborted()
      const id = ++this.asked
      this.open.set(id, { resolve, reject })
      this.channel.send({ ...header, id }, body).catch(reject)
    })
  }

  private async readAnswers(): Promise<void> {
    try {
      for await (const frame of this.channel.frames) {
        const id = frame.header['id'] as number
        const asker = this.open.get(id)
        if (asker === undefined) throw new ControlProtocolError('an answer to no question')
        this.open.delete(id)
        asker.resolve(frame)
      }
      this.end(new PlaxtonError('AbortError', 'ERR_ABORTED', 'the client has gone'))
    } catch (error) {
      this.end(error)
    }
  }

  private end(reason: unknown): void {
    this.gone.abort(reason)
    for (const { reject } of this.open.values()) reject(reason)
    this.open.clear()
  }
}

/** The outcome of `work`, or the signal's reason if that comes first; the rest of `work` is then left to end by itself. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Tells the client why there is no result, if it still listens. */
async function refuse(channel: ControlChannel, code: string, message: string): Promise<void> {
  await channel.send({ type: 'error', code, message: message.slice(0, 4096) }).catch(() => {})
  channel.end()
  // Whatever it still sends is not read; without this its socket would stay half open.
  setTimeout(() => channel.destroy(), stopWithinMs).unref()
}

function expired(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}
