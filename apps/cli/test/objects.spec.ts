import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { overlayNames } from '../src/overlays.ts'
import { DaemonProcess, plaxton, spawnPlaxton } from './support/plaxton-process.ts'
import { runHere } from './support/run-here.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { ChildProcess } from 'node:child_process'
import type { LocateResult, SendResult } from '../src/control/protocol.ts'

/** The guid of a name, computed elsewhere: `printf %s name:room1 | sha256sum`. */
function guidOfName(name: string): string {
  return createHash('sha256').update(name).digest('hex')
}

/** `plaxton host` as a process of its own. */
class HostProcess {
  readonly child: ChildProcess
  stderr = ''
  private readonly ready: Promise<string>
  private readonly exited: Promise<[number | null, NodeJS.Signals | null]>

  constructor(daemon: DaemonProcess, objects: readonly string[], command: string, ...options: string[]) {
    this.child = spawnPlaxton(['host', ...objects, '--exec', command, '--json', '--data', daemon.data, ...options])
    this.exited = once(this.child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString('utf8')))
    this.ready = new Promise((resolve, reject) => {
      let out = ''
      this.child.stdout!.on('data', (chunk: Buffer) => {
        out += chunk.toString('utf8')
        if (out.includes('\n')) resolve(out)
      })
      this.child.on('exit', () => reject(new Error(`plaxton host ended: ${out}${this.stderr}`)))
    })
    this.ready.catch(() => {})
  }

  /** Resolves once the objects are published, with what it says then. */
  async hosting(): Promise<{ objects: Array<{ object: string; guid: string }> }> {
    return JSON.parse(await this.ready) as { objects: Array<{ object: string; guid: string }> }
  }

  /** Its status, or the signal that ended it; at once when it has ended already. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    this.child.kill(signal)
    const [status, by] = await this.exited
    return status ?? by ?? 0
  }
}

describe('objects', function () {
  this.timeout(60_000)
  this.slow(10_000)

  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let daemons: DaemonProcess[] = []
  const hosts: HostProcess[] = []

  async function startNetwork(overlay: string): Promise<void> {
    folder = await temporaryFolder()
    const first = new DaemonProcess(join(folder.path, 'one'), ['--overlay', overlay])
    const { multiaddrs } = await first.start()
    const others = ['two', 'three'].map(
      (name) => new DaemonProcess(join(folder.path, name), ['--overlay', overlay, '--bootstrap', multiaddrs[0]!]),
    )
    daemons = [first, ...others]
    await Promise.all(others.map((daemon) => daemon.start()))
  }

  async function stopNetwork(): Promise<void> {
    await endHosts()
    await Promise.all(daemons.map((daemon) => daemon.end('SIGKILL')))
    await folder.remove()
  }

  async function endHosts(): Promise<void> {
    await Promise.all(hosts.splice(0).map((each) => each.end('SIGINT')))
  }

  function host(daemon: number, objects: readonly string[], command: string, ...options: string[]): HostProcess {
    const made = new HostProcess(daemons[daemon]!, objects, command, ...options)
    hosts.push(made)
    return made
  }

  function on(daemon: number, ...args: string[]): ReturnType<typeof runHere> {
    return runHere([...args, '--data', daemons[daemon]!.data])
  }

  async function json<T>(daemon: number, ...args: string[]): Promise<T> {
    const { status, stdout, stderr } = await on(daemon, ...args, '--json')
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as T
  }

  describe('of three daemons', () => {
    before(() => startNetwork('pastry'))
    afterEach(endHosts)
    after(stopNetwork)

    it('are published, located from everywhere, and unpublished, by name and by guid', async () => {
      const [name, guid] = ['name:printer', guidOfName('name:printer')]
      const { status, stdout } = await on(0, 'publish', name)
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`^published name:printer\\n {2}guid {2}${guid}\\n {2}time {2}\\d`))
      for (const object of [name, guid]) {
        const located = await json<LocateResult>(1, 'locate', object)
        assert.deepEqual([located.guid, located.hosts.map(({ id }) => id)], [guid, [daemons[0]!.ready.id]])
      }
      await json(2, 'publish', guid)
      const both = await json<LocateResult>(1, 'locate', name)
      assert.deepEqual(both.hosts.map(({ id }) => id).toSorted(), [daemons[0]!.ready.id, daemons[2]!.ready.id].toSorted())
      assert.equal((await json<LocateResult>(1, 'locate', name, '-n', '1')).hosts.length, 1)
      assert.match(
        (await on(1, 'locate', name)).stdout,
        new RegExp(`^2 hosts of ${guid.slice(0, 8)} in \\S+ ms {2}id, address\\n {2}[0-9a-f]{8} {2}/ip4/127\\.0\\.0\\.1/tcp/`),
      )
      for (const daemon of [0, 2]) await json(daemon, 'unpublish', name)
      const nobody = await on(1, 'locate', name)
      assert.deepEqual([nobody.status, nobody.stdout, nobody.stderr], [3, '', 'plaxton: nobody hosts name:printer\n'])
      assert.equal((await on(0, 'unpublish', name)).status, 3)
    })

    it('answer with what a command makes of the message, byte for byte', async () => {
      const { objects } = await host(0, ['name:a', 'name:b'], 'cat; printf "%s %s" "$PLAXTON_OBJECT" "$PLAXTON_GUID"').hosting()
      assert.deepEqual(
        objects,
        ['name:a', 'name:b'].map((object) => ({ object, guid: guidOfName(object) })),
      )
      const { status, stdout, stderr } = await on(1, 'send', 'name:b', 'hello ')
      assert.deepEqual([status, stdout, stderr], [0, `hello name:b ${guidOfName('name:b')}`, ''])
    })

    it('take messages from stdin, up to 1 MiB both ways', async () => {
      await host(0, ['name:echo'], 'cat').hosting()
      const message = randomBytes(1024 * 1024)
      const echo = await plaxton(['send', 'name:echo', '--data', daemons[2]!.data], { stdin: message })
      assert.equal(echo.status, 0, echo.stderr)
      assert(echo.bytes.equals(message), 'other bytes came back')
      const tooLong = await plaxton(['send', 'name:echo', '--data', daemons[2]!.data], { stdin: randomBytes(1024 * 1024 + 1) })
      assert.deepEqual([tooLong.status, tooLong.stderr], [2, 'plaxton: the message is longer than 1.0 MiB\n'])
    })

    it('have several hosts, and a message goes to as many as it is to', async () => {
      await Promise.all([0, 1, 2].map((number) => host(number, ['name:all'], `printf ${number}`).hosting()))
      const all = await on(0, 'send', 'name:all', 'x', '-n', '3')
      assert.deepEqual([all.stdout.split('\n').toSorted(), all.stderr], [['', '0', '1', '2'], ''])
      const more = await on(0, 'send', 'name:all', 'x', '-n', '16')
      assert.deepEqual([more.status, more.stderr], [0, '3 of 16 hosts replied\n'])
      const { replies } = await json<{ replies: unknown[] }>(1, 'send', 'name:all', 'x', '-n', '2')
      assert.equal(replies.length, 2)
    })

    it('answer in --json as text, or in base64 when it is none', async () => {
      await host(0, ['name:bytes'], 'head -c 1 && printf "\\377"').hosting()
      await host(0, ['name:text'], 'printf "two\\nlines"').hosting()
      const bytes = await json<Omit<SendResult, 'replies'> & { replies: unknown[] }>(1, 'send', 'name:bytes', 'abc')
      assert.deepEqual(
        [bytes.guid, bytes.replies],
        [guidOfName('name:bytes'), [{ base64: Buffer.from('a\xff', 'latin1').toString('base64') }]],
      )
      assert.deepEqual((await json<{ replies: unknown[] }>(1, 'send', 'name:text', '')).replies, [{ text: 'two\nlines' }])
    })

    it('refuse a message with the first line of what the command says on stderr', async () => {
      await host(0, ['name:strict'], 'echo "only in writing" >&2; exit 3').hosting()
      const { status, stdout, stderr } = await on(1, 'send', 'name:strict', 'hello')
      assert.deepEqual([status, stdout], [1, ''])
      const ids = [daemons[0]!.ready.id, guidOfName('name:strict')].map((id) => id.slice(0, 8))
      assert.equal(stderr, `plaxton: ${ids[0]} refused the message to ${ids[1]}: only in writing\n`)
    })

    it('have at most so many commands running at a time as --jobs says', async () => {
      const seen = join(folder.path, 'running')
      const command = `mkdir -p ${seen}; touch ${seen}/$$; ls ${seen} | wc -l; sleep 0.3; rm ${seen}/$$`
      await host(0, ['name:busy'], command, '--jobs', '2').hosting()
      const counts = await Promise.all(Array.from({ length: 6 }, async () => Number((await on(1, 'send', 'name:busy', 'x')).stdout)))
      assert.equal(Math.max(...counts), 2, `${counts.join(', ')} were seen`)
    })

    it('are withdrawn at Ctrl-C, once the running commands have answered', async () => {
      const hosting = host(0, ['name:slow'], 'echo "running" >&2; sleep 1; printf done')
      await hosting.hosting()
      const sent = on(1, 'send', 'name:slow', 'x')
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.equal(await hosting.end('SIGINT'), 0)
      assert.deepEqual([(await sent).status, (await sent).stdout], [0, 'done'])
      const { status, stderr } = await on(1, 'send', 'name:slow', 'x')
      assert.deepEqual([status, stderr], [3, 'plaxton: nobody answers for name:slow\n'])
    })

    it('have another host answer a message that was with one when it was killed', async () => {
      // The nearest host is the one on the sender's own node.
      const nearest = host(1, ['name:moved'], 'sleep 20; printf nearest')
      await nearest.hosting()
      await host(0, ['name:moved'], 'printf other').hosting()
      const sent = on(1, 'send', 'name:moved', 'x')
      await new Promise((resolve) => setTimeout(resolve, 500))
      await nearest.end('SIGKILL')
      const { status, stdout, stderr } = await sent
      assert.deepEqual([status, stdout], [0, 'other'], stderr)
    })

    it('stay published after they were hosted, when they were before', async () => {
      await json(0, 'publish', 'name:kept')
      const silent = await on(1, 'send', 'name:kept', 'x')
      assert.deepEqual([silent.status, silent.stderr], [3, 'plaxton: nobody answers for name:kept\n'])
      const hosting = host(0, ['name:kept'], 'printf here')
      await hosting.hosting()
      assert.equal((await on(1, 'send', 'name:kept', 'x')).stdout, 'here')
      assert.equal((await on(0, 'unpublish', 'name:kept')).status, 1)
      assert.equal(await hosting.end('SIGTERM'), 0)
      assert.equal((await json<LocateResult>(1, 'locate', 'name:kept')).hosts.length, 1)
      assert.equal((await on(1, 'send', 'name:kept', 'x')).status, 3)
      await json(0, 'unpublish', 'name:kept')
      assert.equal((await on(1, 'locate', 'name:kept')).status, 3)
    })

    it('are answered by one client of a daemon at a time', async () => {
      await host(0, ['name:one'], 'true').hosting()
      const { status, stderr } = await on(0, 'host', 'name:other', 'name:one', '--exec', 'true')
      assert.equal(status, 1)
      assert.match(stderr, /^plaxton: a client of this daemon hosts [0-9a-f]{8} already: end that `plaxton host`, or use another daemon\n$/)
      assert.equal((await on(1, 'locate', 'name:other')).status, 3)
    })

    it('show in the status of the daemon', async () => {
      await json(0, 'publish', 'name:p')
      await host(0, ['name:x', 'name:y'], 'true').hosting()
      const { published, hosted } = await json<{ published: number; hosted: number }>(0, 'status')
      assert.deepEqual([published, hosted], [1, 2])
      assert.match((await on(0, 'status')).stdout, /^ {2}objects {5}1 published, 2 hosted for clients$/m)
    })

    const wrong: ReadonlyArray<readonly [args: string[], stderr: RegExp]> = [
      [['publish', 'printer'], /^plaxton: object is "printer", allowed is a guid of 64 hex digits, a CID, or name: and up to 507 bytes\n$/],
      [['send', 'printer'], /^plaxton: object is "printer", allowed is /],
      [['publish', 'name:'], /^plaxton: object is "name:", allowed is /],
      [['locate', `name:${'x'.repeat(508)}`], /^plaxton: object is "name:x.*, allowed is /],
      [['locate', 'name:a', '-n', '17'], /^plaxton: n is 17, allowed is a whole number from 1 to 16\n$/],
      [['send', 'name:a', 'x', '-n', '0'], /^plaxton: n is 0, allowed is a whole number, 1 or more\n$/],
      [['send', 'name:a', 'x', '--timeout', '0'], /^plaxton: --timeout is 0, allowed is 1 second or more\n$/],
      [['host', 'name:a'], /^error: required option '--exec <command>' not specified\n/],
      [['host', 'name:a', '--exec', ' '], /^plaxton: --exec is empty: say the command that answers a message\n$/],
      [['host', 'name:a', '--exec', 'true', '--jobs', '65'], /^plaxton: --jobs is 65, allowed is 1 to 64\n$/],
      [['host', 'name:a', '--exec', 'true', '--timeout', '61'], /^plaxton: --timeout is 61, allowed is 1 to 60 seconds\n$/],
      [['host', 'name:a', 'name:a', '--exec', 'true'], /^plaxton: objects is .*, allowed is each object once\n$/],
      [['host', ...Array.from({ length: 65 }, (_, i) => `name:${i}`), '--exec', 'true'], /allowed is 1 to 64 texts\n$/],
    ]
    for (const [args, complaint] of wrong) {
      it(`say what is wrong with \`${args.join(' ').slice(0, 40)}\``, async () => {
        const { status, stderr } = await on(0, ...args)
        assert.match(stderr, complaint)
        assert.equal(status, 2)
      })
    }
  })

  for (const overlay of overlayNames) {
    describe(`over ${overlay}, when a host dies`, () => {
      before(() => startNetwork(overlay))
      after(stopNetwork)

      it('answer the next message through another one: first the client of a daemon is killed, then a daemon', async () => {
        const [first, second] = await Promise.all(
          [0, 1].map(async (number) => {
            const hosting = host(number, ['name:room'], `printf "${number}: "; cat`)
            await hosting.hosting()
            return hosting
          }),
        )
        const answerer = async (text: string): Promise<number> => {
          const { status, stdout, stderr } = await on(2, 'send', 'name:room', text)
          assert.equal(status, 0, stderr)
          assert.match(stdout, new RegExp(`: ${text}$`))
          return Number(stdout[0])
        }
        const before = await answerer('one')
        assert.equal(await [first, second][before]!.end('SIGKILL'), 'SIGKILL')
        assert.equal(await answerer('two'), 1 - before)

        // The one that was killed hosts again; now the other's daemon is killed, without a word to anybody.
        await host(before, ['name:room'], `printf "${before}: "; cat`).hosting()
        await daemons[1 - before]!.end('SIGKILL')
        assert.equal(await answerer('three'), before)
        const { hosts: left } = await json<LocateResult>(2, 'locate', 'name:room')
        assert.deepEqual(
          left.map(({ id }) => id),
          [daemons[before]!.ready.id],
        )
      })
    })
  }
})
