import assert from 'node:assert/strict'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NotFoundError } from '@plaxton/kbr'
import { callDaemon } from '../src/control/client.ts'
import { encodeFrame, maxHeaderBytes, readFrames } from '../src/control/frames.ts'
import { protocolVersion } from '../src/control/protocol.ts'
import { ControlServer } from '../src/control/server.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { Socket } from 'node:net'
import type { Handler } from '../src/control/server.ts'

describe('the control socket', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let path: string
  const servers: ControlServer[] = []
  const sockets: Socket[] = []

  beforeEach(async () => {
    folder = await temporaryFolder()
    path = join(folder.path, 'control.sock')
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const server of servers.splice(0)) await server.close()
    await folder.remove()
  })

  async function listen(handlers: Record<string, Handler>): Promise<ControlServer> {
    const server = await ControlServer.listen(path, handlers)
    servers.push(server)
    return server
  }

  /** A client that writes what it likes. */
  async function rawClient(): Promise<Socket> {
    const socket = connect(path)
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }

  it('answers a call with the result of its handler', async () => {
    await listen({ add: async ({ arguments: { a, b } }) => ({ sum: (a as number) + (b as number) }) })
    assert.deepEqual(await callDaemon({ path, command: 'add', arguments: { a: 1, b: 2 } }), { sum: 3 })
  })

  it('tells the client the code and the sentence of what its handler throws', async () => {
    await listen({
      find: async () => {
        throw new NotFoundError('nobody has it')
      },
    })
    await assert.rejects(callDaemon({ path, command: 'find' }), { code: 'ERR_NOT_FOUND', message: 'nobody has it' })
  })

  it('can be opened by its user alone', async function () {
    if (process.platform === 'win32') return this.skip()
    await listen({})
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('brings the client frames in their order, and waits while one is being handled', async () => {
    let told = 0
    const count = 40
    await listen({
      many: async ({ tell }) => {
        for (; told < count; told++) await tell({ type: 'data' }, new Uint8Array(256 * 1024).fill(told))
      },
    })
    const seen: number[] = []
    await callDaemon({
      path,
      command: 'many',
      onFrame: async ({ body }) => {
        if (seen.push(body![0]!) > 1) return
        await delay(100)
        assert(told < 20, `${told} of ${count} frames of 256 KiB were sent to a client that was busy with the first`)
      },
    })
    assert.deepEqual(
      seen,
      Array.from({ length: count }, (_, index) => index),
    )
  })

  it('lets a handler ask its client, several questions at a time', async () => {
    await listen({
      double: async ({ ask }) => {
        const answers = await Promise.all([1, 2, 3].map((value) => ask({ type: 'double', value })))
        return answers.map(({ header, body }) => [header['value'], body?.length])
      },
    })
    const result = await callDaemon({
      path,
      command: 'double',
      onQuestion: async ({ header: { value } }) => ({
        header: { type: 'doubled', value: 2 * (value as number) },
        body: new Uint8Array(value as number),
      }),
    })
    assert.deepEqual(result, [
      [2, 1],
      [4, 2],
      [6, 3],
    ])
  })

  it('lets a question have a body', async () => {
    await listen({ echo: async ({ ask }) => [...(await ask({ type: 'echo' }, Uint8Array.of(1, 2, 3))).body!] })
    const call = callDaemon({ path, command: 'echo', onQuestion: async ({ header, body }) => ({ header, body: body! }) })
    assert.deepEqual(await call, [1, 2, 3])
  })

  it('has a client answer as many questions at a time as it wants to, in their order', async () => {
    await listen({
      many: async ({ ask }) => Promise.all([1, 2, 3, 4, 5].map(async (value) => (await ask({ type: 'x', value })).header['seen'])),
    })
    for (const [answersAtOnce, most] of [
      [undefined, 1],
      [3, 3],
    ] as const) {
      let [open, seen] = [0, 0]
      const order: unknown[] = []
      await callDaemon({
        path,
        command: 'many',
        ...(answersAtOnce === undefined ? {} : { answersAtOnce }),
        onQuestion: async ({ header }) => {
          order.push(header['value'])
          seen = Math.max(seen, ++open)
          await delay(20)
          open--
          return { header: { type: 'y' } }
        },
      })
      assert.deepEqual([seen, order], [most, [1, 2, 3, 4, 5]])
    }
  })

  it('tells a client what is wrong also while that has no answer yet', async () => {
    await listen({
      impatient: async ({ ask }) => {
        ask({ type: 'read' }).catch(() => {})
        throw new NotFoundError('no need to wait')
      },
    })
    const never = new Promise<never>(() => {})
    await assert.rejects(callDaemon({ path, command: 'impatient', onQuestion: () => never }), { code: 'ERR_NOT_FOUND' })
  })

  it('ends a call at once when its signal does, answers or not', async () => {
    await listen({ ask: async ({ ask }) => (await ask({ type: 'read' })).header })
    const signal = AbortSignal.timeout(50)
    await assert.rejects(callDaemon({ path, command: 'ask', signal, onQuestion: () => new Promise(() => {}) }), { name: 'TimeoutError' })
  })

  it('ends a call with what its client fails with', async () => {
    await listen({ ask: async ({ ask }) => (await ask({ type: 'read' })).header })
    const failing = callDaemon({ path, command: 'ask', onQuestion: () => Promise.reject(new Error('the disk is gone')) })
    await assert.rejects(failing, /the disk is gone/)
  })

  it('aborts the handler when its client goes away', async () => {
    const aborted = Promise.withResolvers<unknown>()
    const called = Promise.withResolvers<void>()
    await listen({
      wait: ({ signal }) => {
        called.resolve()
        return new Promise(() => signal.addEventListener('abort', () => aborted.resolve(signal.reason)))
      },
    })
    const leaving = new AbortController()
    const call = callDaemon({ path, command: 'wait', signal: leaving.signal })
    await called.promise
    leaving.abort(new Error('enough'))
    await assert.rejects(call, /enough/)
    assert.match(String(await aborted.promise), /client has gone/)
  })

  it('aborts its handlers when the daemon stops, and tells their clients', async () => {
    const called = Promise.withResolvers<void>()
    const server = await listen({
      wait: () => {
        called.resolve()
        return new Promise(() => {})
      },
    })
    const call = callDaemon({ path, command: 'wait' })
    call.catch(() => {})
    await called.promise
    await server.close()
    await assert.rejects(call, { code: 'ERR_NOT_READY', message: /stopping/ })
  })

  it('says that a command, or a version, is not known', async () => {
    await listen({ constructorless: async () => 1 })
    for (const command of ['fly', 'constructor', 'toString']) {
      await assert.rejects(callDaemon({ path, command }), { message: new RegExp(`knows no command ${command}`) })
    }
    const old = await rawClient()
    old.write(encodeFrame({ type: 'call', plaxton: protocolVersion + 1, command: 'constructorless' }))
    const { value } = await readFrames(old).next()
    assert.match(String((value as unknown as { header: { message: string } }).header.message), /version 1 .* version 2/)
  })

  const garbage: ReadonlyArray<readonly [string, string | Buffer]> = [
    ['what is no JSON', 'hello\n'],
    ['what is no call', '{"type":"data"}\n'],
    ['a command that is no text', `{"type":"call","plaxton":${protocolVersion},"command":{}}\n`],
    ['arguments that are no object', `{"type":"call","plaxton":${protocolVersion},"command":"echo","arguments":[1]}\n`],
    ['a line without end', Buffer.alloc(maxHeaderBytes + 10, 'x')],
    ['noise', Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 7919) % 251))],
    ['an answer to no question', `{"type":"call","plaxton":${protocolVersion},"command":"wait"}\n{"type":"data","id":99}\n`],
  ]
  for (const [what, bytes] of garbage) {
    it(`says what is wrong to a client that sends ${what}, and goes on serving others`, async () => {
      await listen({ echo: async ({ arguments: args }) => args, wait: () => new Promise(() => {}) })
      const client = await rawClient()
      client.end(bytes)
      const answers = []
      for await (const { header } of readFrames(client)) answers.push(header)
      assert.equal(answers.at(-1)?.type, 'error')
      assert.deepEqual(await callDaemon({ path, command: 'echo', arguments: { still: 'here' } }), { still: 'here' })
    })
  }

  it('serves 64 clients at a time and tells further ones to try again', async () => {
    await listen({ wait: () => new Promise(() => {}), echo: async () => 'here' })
    const waiting = new AbortController()
    const calls = Array.from({ length: 64 }, () => callDaemon({ path, command: 'wait', signal: waiting.signal }))
    for (const call of calls) call.catch(() => {})
    await delay(50)
    await assert.rejects(callDaemon({ path, command: 'echo' }), { code: 'ERR_OVERLOADED' })
    waiting.abort(new Error('enough'))
    await Promise.allSettled(calls)
    await delay(50)
    assert.equal(await callDaemon({ path, command: 'echo' }), 'here')
  })

  it('replaces the socket that a killed daemon left', async function () {
    if (process.platform === 'win32') return this.skip()
    await writeFile(path, '')
    await listen({ echo: async () => 'here' })
    assert.equal(await callDaemon({ path, command: 'echo' }), 'here')
  })

  it('is not taken from a daemon that lives', async () => {
    await listen({ echo: async () => 'first' })
    await assert.rejects(ControlServer.listen(path, {}), {
      code: 'ERR_DAEMON_RUNNING',
      message: /answers at .* already: stop it, or give this one another/,
    })
    assert.equal(await callDaemon({ path, command: 'echo' }), 'first')
  })

  it('tells a client that finds no daemon what to do', async () => {
    await assert.rejects(callDaemon({ path, command: 'echo' }), {
      code: 'ERR_NO_DAEMON',
      message: /no daemon answers at .*: start one with `plaxton node --data DIR`/,
    })
  })

  it('tells a client when the daemon ends before it has answered', async () => {
    const dying = createServer((socket) => socket.once('data', () => socket.destroy()))
    dying.listen(path)
    await once(dying, 'listening')
    await assert.rejects(callDaemon({ path, command: 'echo' }), { message: /^the daemon ended before it had answered; / })
    dying.close()
  })
})
