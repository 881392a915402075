import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandRunner } from '../src/commands/command-runner.ts'
import { temporaryFolder } from './support/temporary.ts'

describe('a command that answers messages', function () {
  this.timeout(20_000)
  this.slow(2_000)

  const run = (command: string, message = '', withinMs = 10_000) =>
    new CommandRunner({ command, withinMs }).run(Buffer.from(message), { PLAXTON_OBJECT: 'name:test' })

  it('has the message on its stdin, and what it writes to stdout is the reply, byte for byte', async () => {
    const outcome = await run('cat', 'one\ntwo \u0000 three')
    assert(outcome.ok)
    assert.equal(Buffer.from(outcome.reply).toString(), 'one\ntwo \u0000 three')
  })

  it('may reply nothing, read nothing, and write to stderr', async () => {
    const outcome = await run('echo noise >&2', 'x'.repeat(1024 * 1024))
    assert.deepEqual(outcome, { ok: true, reply: Buffer.alloc(0) })
  })

  it('finds the object in its environment', async () => {
    const outcome = await run('printf %s "$PLAXTON_OBJECT"')
    assert(outcome.ok)
    assert.equal(Buffer.from(outcome.reply).toString(), 'name:test')
  })

  const refusals: ReadonlyArray<readonly [what: string, command: string, reason: string]> = [
    ['with the first line of its stderr', 'echo part; echo "no such room" >&2; echo more >&2; exit 3', 'no such room'],
    ['with the first line that is not empty', 'printf "\\n  \\nthis one\\n" >&2; false', 'this one'],
    ['with its status when it says nothing', 'exit 7', 'the command ended with status 7'],
    ['with the signal that ended it', 'kill -TERM $$', 'the command ended with SIGTERM'],
    ['without what a terminal might obey', 'printf "\\033[31mred\\n" >&2; exit 1', '\ufffd[31mred'],
  ]
  for (const [what, command, reason] of refusals) {
    it(`refuses by a status other than 0, ${what}`, async () => {
      assert.deepEqual(await run(command), { ok: false, reason })
    })
  }

  it('refuses when there is no such command', async () => {
    const outcome = await run('surely-no-such-command')
    assert(!outcome.ok)
    assert.match(outcome.reason, /not found/)
  })

  it('is killed, with all that it started, when it takes too long', async () => {
    const folder = await temporaryFolder()
    const startedAt = performance.now()
    const outcome = await run(`(sleep 1; echo late > ${folder.path}/late) & sleep 30`, '', 300)
    assert.deepEqual(outcome, { ok: false, reason: 'the command took longer than 300 ms' })
    assert(performance.now() - startedAt < 5_000)
    await delay(1_200)
    assert.deepEqual(await run(`test ! -e ${folder.path}/late`), { ok: true, reply: Buffer.alloc(0) })
    await folder.remove()
  })

  it('is killed when it replies more than 1 MiB', async () => {
    assert.deepEqual(await run('yes'), { ok: false, reason: "the command's reply is longer than 1.0 MiB" })
    const outcome = await run('head -c 1048576 /dev/zero')
    assert(outcome.ok)
    assert.equal(outcome.reply.length, 1024 * 1024)
  })

  it('is killed when whoever wanted it has gone', async () => {
    const runner = new CommandRunner({ command: 'sleep 30', withinMs: 60_000 })
    const outcome = runner.run(new Uint8Array(), {})
    runner.end()
    assert.deepEqual(await outcome, { ok: false, reason: 'the command ended with SIGKILL' })
  })
})
