import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { host } from '../src/daemon/handlers/objects.ts'
import type { ObjectHandler } from '@plaxton/kbr'
import type { Frame } from '../src/control/frames.ts'
import type { Call } from '../src/control/server.ts'
import type { Context } from '../src/daemon/handlers/context.ts'

/** A client that hosts one object, and the daemon's side of it with a node that is none. */
class HostingClient {
  readonly questions: Array<{ type: string; resolve: (answer: Frame) => void; reject: (error: Error) => void }> = []
  handler: ObjectHandler | undefined
  ended = 0
  readonly result: Promise<unknown>

  constructor() {
    const context = {
      node: { overlay: { ready: true } },
      objects: {
        host: async (_guids: unknown, handler: ObjectHandler) => {
          this.handler = handler
          return async () => void this.ended++
        },
      },
    } as unknown as Context
    const call: Call = {
      arguments: { objects: ['name:a'] },
      signal: new AbortController().signal,
      tell: async () => {},
      ask: ({ type }) => new Promise((resolve, reject) => this.questions.push({ type, resolve, reject })),
    }
    this.result = host(context, call)
    this.result.catch(() => {})
  }

  /** Resolves when the daemon has asked until when. */
  async hosting(): Promise<void> {
    while (this.questions.length === 0) await new Promise((resolve) => setImmediate(resolve))
  }

  deliver(message: string): Promise<Uint8Array> {
    return Promise.resolve(this.handler!(Buffer.from(message), guidOf(Buffer.from('name:a'))))
  }

  /** Answers the message delivered as the `number`th, from 1. */
  answer(number: number, header: Frame['header'], body?: string): void {
    this.questions[number]!.resolve({ header, body: body === undefined ? undefined : Buffer.from(body) })
  }
}

describe('what a client hosts', () => {
  it('is answered by the client, or refused with its reason, and counted', async () => {
    const client = new HostingClient()
    await client.hosting()
    assert.equal(client.questions[0]!.type, 'until')
    const [first, second] = [client.deliver('one'), client.deliver('two')]
    client.answer(2, { type: 'refusal', reason: 'not two' })
    client.answer(1, { type: 'reply' }, 'yes')
    assert.equal(Buffer.from(await first).toString(), 'yes')
    await assert.rejects(second, { code: 'ERR_REFUSED', message: 'not two' })

    client.answer(0, { type: 'end' })
    assert.deepEqual({ ...((await client.result) as object), hostedMs: 0 }, { answered: 1, refused: 1, hostedMs: 0 })
    assert.equal(client.ended, 1)
  })

  it('is withdrawn first when the client has had enough, and ends when all is answered', async () => {
    const client = new HostingClient()
    await client.hosting()
    const open = client.deliver('slow')
    let isOver = false
    void client.result.then(() => (isOver = true))
    client.answer(0, { type: 'end' })
    while (client.ended === 0) await new Promise((resolve) => setImmediate(resolve))
    assert(!isOver)
    client.answer(1, { type: 'reply' }, 'done')
    assert.equal(Buffer.from(await open).toString(), 'done')
    await client.result
  })

  it('goes to another host when 64 messages are with the client, or when that goes away', async () => {
    const client = new HostingClient()
    await client.hosting()
    const open = Array.from({ length: 64 }, (_, number) => client.deliver(`message ${number}`))
    await assert.rejects(client.deliver('one too many'), { code: 'ERR_NOT_READY', message: /^64 messages / })
    client.answer(1, { type: 'reply' }, '')
    await open[0]
    const last = client.deliver('one more')
    for (const { reject } of client.questions) reject(new Error('the client has gone'))
    for (const each of [...open.slice(1), last]) await assert.rejects(each, { code: 'ERR_NOT_READY' })
    await assert.rejects(client.result, /gone/)
    assert.equal(client.ended, 1)
  })
})
