import { isGuid, shortGuid } from '@plaxton/guid'
import { NotFoundError, NotReadyError, PlaxtonError, RouteError } from '@plaxton/kbr'
import { ControlProtocolError } from '../../control/frames.ts'
import { maxHosted } from '../objects.ts'
import { guidIn, guidsIn, optionalCount, text } from './arguments.ts'
import { viewOf, whenReady } from './context.ts'
import type { Guid } from '@plaxton/guid'
import type { Call } from '../../control/server.ts'
import type { HostResult, HostingItem, LocateResult, PublishResult, SendResult } from '../../control/protocol.ts'
import type { Context } from './context.ts'

/** Hosts told of by `locate` when it is not said how many: as many as DOLR finds at a time. */
const maxHosts = 16

/** Messages that one hosting client has at a time, up to 1 MiB each; a further one goes to another host. Our choice: as many as it may answer at a time. */
const maxWaiting = 64

/** `publish`: makes known that this node hosts an object. */
export async function publish(context: Context, call: Call): Promise<PublishResult> {
  const guid = await objectIn(context, call)
  const elapsed = stopwatch()
  await context.objects.publish(guid, { signal: call.signal })
  return { guid, elapsedMs: elapsed() }
}

/** `unpublish`: takes that back. */
export async function unpublish(context: Context, call: Call): Promise<PublishResult> {
  const guid = await objectIn(context, call)
  const elapsed = stopwatch()
  await context.objects.unpublish(guid, { signal: call.signal })
  return { guid, elapsedMs: elapsed() }
}

/** `locate`: says who hosts an object. They are asked, so that nobody is named who has died. */
export async function locate(context: Context, call: Call): Promise<LocateResult> {
  const guid = await objectIn(context, call)
  const elapsed = stopwatch()
  const n = optionalCount(call.arguments, 'n') ?? maxHosts
  const hosts = await context.node.dolr.locate(guid, n, { signal: call.signal, checked: true }).catch((error: unknown) => {
    throw inWords(error, `nobody hosts ${named(call)}`)
  })
  return { guid, hosts: hosts.map(viewOf), elapsedMs: elapsed() }
}

/** `send`: asks the client for the message, and sends it what the hosts reply as they do. */
export async function send(context: Context, call: Call): Promise<SendResult> {
  const { arguments: args, signal } = call
  const n = optionalCount(args, 'n')
  const timeoutMs = optionalCount(args, 'timeoutMs')
  const guid = await objectIn(context, call)
  const { body: message } = await call.ask({ type: 'message' })
  if (message === undefined) throw new ControlProtocolError('an answer without content')
  const elapsed = stopwatch()
  const options = { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  let replies = 0
  try {
    for await (const reply of context.node.dolr.sendToObj(message, guid, n, options)) {
      replies++
      await call.tell({ type: 'reply' }, reply)
    }
  } catch (error) {
    throw inWords(error, `nobody answers for ${named(call)}`)
  }
  return { guid, replies, elapsedMs: elapsed() }
}

/** `host`: publishes objects, and has the client answer messages to them until it says that it is enough, or goes away. */
export async function host(context: Context, call: Call): Promise<HostResult> {
  const guids = guidsIn(call.arguments, 'objects', maxHosted)
  await whenReady(context, call.signal)
  const desk = new Desk(call)
  const end = await context.objects.host(guids, (message, guid) => desk.answer(message, guid), { signal: call.signal })
  const startedAt = performance.now()
  try {
    const item: HostingItem = { guids }
    await call.tell({ type: 'item', value: item })
    await call.ask({ type: 'until' })
  } finally {
    await end()
  }
  await desk.cleared()
  const { answered, refused } = desk
  return { answered, refused, hostedMs: Math.round(performance.now() - startedAt) }
}

/** Messages that a client answers. */
class Desk {
  answered = 0
  refused = 0
  private readonly call: Call
  private readonly open = new Set<Promise<unknown>>()

  constructor(call: Call) {
    this.call = call
  }

  /**
   * The client's reply; rejects with its refusal. With `NotReadyError`, so that the message goes to another host, when too many wait, and when the client
   * goes away before it has answered.
   */
  async answer(message: Uint8Array, guid: Guid): Promise<Uint8Array> {
    if (this.open.size >= maxWaiting) throw new NotReadyError(`${maxWaiting} messages wait for this host already`)
    const asked = this.call.ask({ type: 'message', guid }, message)
    this.open.add(asked)
    try {
      const { header, body = new Uint8Array() } = await asked.catch(() => {
        throw new NotReadyError('who answered for the object here has gone')
      })
      if (header.type !== 'refusal') {
        this.answered++
        return body
      }
      this.refused++
      throw new PlaxtonError('RefusedError', 'ERR_REFUSED', String(header['reason']))
    } finally {
      this.open.delete(asked)
    }
  }

  /** Resolves when nothing is open. */
  async cleared(): Promise<void> {
    while (this.open.size > 0) await Promise.allSettled(this.open)
  }
}

/** The object a call is about, once the node is a member. */
async function objectIn(context: Context, { arguments: args, signal }: Call): Promise<Guid> {
  const guid = guidIn(args, 'object')
  await whenReady(context, signal)
  return guid
}

/** Says how many milliseconds have passed, to a tenth: a message takes few. */
function stopwatch(): () => number {
  const startedAt = performance.now()
  return () => Math.round((performance.now() - startedAt) * 10) / 10
}

/** The object as the client named it, shortened when that is a guid. */
function named({ arguments: args }: Call): string {
  const name = text(args, 'object')
  return isGuid(name) ? shortGuid(name) : name
}

/** What went wrong, for a person; `nobody` when there is no such object. */
function inWords(error: unknown, nobody: string): unknown {
  if (error instanceof NotFoundError) return new NotFoundError(nobody)
  if (error instanceof RouteError && error.failure.reason === 'rejected by application') {
    return new PlaxtonError('RefusedError', 'ERR_REFUSED', error.failure.detail)
  }
  return error
}
