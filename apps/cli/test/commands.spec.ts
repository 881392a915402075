import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DaemonProcess, plaxton, spawnPlaxton } from './support/plaxton-process.ts'
import { runHere } from './support/run-here.ts'
import { temporaryFolder } from './support/temporary.ts'
import type { Ended } from './support/plaxton-process.ts'

const mebibyte = 1024 * 1024

// Three daemons as processes of their own, and the commands as a user calls them.
describe('plaxton with three daemons', function () {
  this.timeout(60_000)
  this.slow(10_000)

  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let one: DaemonProcess
  let two: DaemonProcess
  let three: DaemonProcess

  before(async () => {
    folder = await temporaryFolder()
    one = new DaemonProcess(join(folder.path, 'one'))
    const { multiaddrs } = await one.start()
    two = new DaemonProcess(join(folder.path, 'two'), ['--bootstrap', multiaddrs[0]!])
    three = new DaemonProcess(join(folder.path, 'three'), ['--bootstrap', multiaddrs[0]!])
    await Promise.all([two.start(), three.start()])
  })
  after(async () => {
    await Promise.all([one, two, three].map((daemon) => daemon?.end('SIGKILL')))
    await folder.remove()
  })

  /** Runs a command with `--json` and gives its document. */
  async function json<T>(daemon: DaemonProcess, ...args: string[]): Promise<T> {
    const { status, stdout, stderr } = await runHere([...args, '--json', '--data', daemon.data])
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout) as T
  }

  async function file(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(folder.path, name)
    await writeFile(path, content)
    return path
  }

  interface Put {
    guid: string
    cid: string
    name: string
    type: string
    size: number
    blocks: number
    replicas: number
    wanted: number
  }

  it('gives back a file through another daemon, by guid and by CID', async () => {
    const content = 'a small file\n'
    const { guid, cid, ...rest } = await json<Put>(one, 'put', await file('small.txt', content))
    // For a file of one block the guid is the SHA-256 of its bytes.
    assert.equal(guid, createHash('sha256').update(content).digest('hex'))
    assert.deepEqual(
      { ...rest, elapsedMs: 0, replicas: 0 },
      { name: 'small.txt', type: 'file', size: 13, blocks: 1, replicas: 0, wanted: 5, elapsedMs: 0 },
    )
    for (const name of [guid, cid, guid.toUpperCase()]) {
      const { status, stdout, stderr } = await runHere(['get', name, '--data', two.data])
      assert.deepEqual([status, stdout, stderr], [0, content, ''])
    }
  })

  it('gives back a file of several blocks byte for byte, by guid and by CID', async () => {
    const content = randomBytes(2 * mebibyte + 12_345)
    const { guid, cid, blocks, size } = await json<Put>(two, 'put', await file('large.bin', content), '--quorum', 'all')
    assert.deepEqual([blocks, size], [4, content.length])
    for (const name of [guid, cid]) {
      const { status, bytes } = await runHere(['get', name, '--data', three.data])
      assert.equal(status, 0)
      assert(bytes.equals(content), 'other bytes came back')
    }
    const target = join(folder.path, 'fetched', 'large.bin')
    const fetched = await json<{ bytes: number; path: string; type: string }>(three, 'get', guid, '-o', target)
    assert.deepEqual([fetched.bytes, fetched.path, fetched.type], [content.length, target, 'file'])
    assert((await readFile(target)).equals(content))
  })

  it('stores what comes in on stdin, nothing included', async () => {
    for (const content of ['', 'piped']) {
      const put = await plaxton(['put', '-', '--json', '--name', 'piped.txt', '--data', one.data], { stdin: content })
      assert.equal(put.status, 0, put.stderr)
      const { cid, name } = JSON.parse(put.stdout) as Put
      assert.equal(name, 'piped.txt')
      assert.equal((await runHere(['get', cid, '--data', three.data])).stdout, content)
    }
  })

  it('stores a folder, lists it, gives back parts of it and all of it', async () => {
    const source = join(folder.path, 'source')
    await mkdir(join(source, 'below', 'deep'), { recursive: true })
    await mkdir(join(source, 'empty'))
    const large = randomBytes(mebibyte + 1)
    await writeFile(join(source, 'large.bin'), large)
    await writeFile(join(source, 'below', 'deep', 'note.txt'), 'deep down')
    await writeFile(join(source, 'below', 'Zero'), '')
    for (let i = 0; i < 30; i++) await writeFile(join(source, 'below', `file ${i}`), `content ${i}`)
    await symlink('large.bin', join(source, 'link'))

    const put = await runHere(['put', source, '--json', '--data', one.data])
    assert.equal(put.status, 0, put.stderr)
    const { cid, guid, type, size, name } = JSON.parse(put.stdout) as Put
    assert.deepEqual([type, name, size], ['directory', 'source', large.length + 9 + 10 * 9 + 20 * 10])

    const listed = await json<Array<{ name: string; type: string; size: number }>>(two, 'ls', cid)
    assert.deepEqual(listed.map(({ name, type }) => `${type} ${name}`).toSorted(), ['directory below', 'directory empty', 'file large.bin'])
    assert.equal((await runHere(['get', `${cid}/below/deep/note.txt`, '--data', three.data])).stdout, 'deep down')

    for (const root of [cid, guid]) {
      const target = join(folder.path, `copy-${root.length}`)
      const fetched = await runHere(['get', root, '-o', target, '--data', three.data])
      assert.equal(fetched.status, 0, fetched.stderr)
      assert.deepEqual(
        (await readdir(target, { recursive: true })).toSorted(),
        (await readdir(source, { recursive: true })).filter((each) => each !== 'link').toSorted(),
      )
      assert((await readFile(join(target, 'large.bin'))).equals(large))
      assert.equal(await readFile(join(target, 'below', 'file 7'), 'utf8'), 'content 7')
    }
    assert.deepEqual(
      (await readdir(folder.path)).filter((each) => each.includes('.part-')),
      [],
    )
  })

  it('says what it left out of a folder', async () => {
    const source = join(folder.path, 'with-link')
    await mkdir(source)
    await writeFile(join(source, 'a'), 'a')
    await symlink('a', join(source, 'b'))
    const { status, stderr } = await runHere(['put', source, '--data', one.data])
    assert.deepEqual([status, stderr], [0, 'left out: b is neither a file nor a folder\n'])
  })

  it('lists what was put through a daemon, and nothing else', async () => {
    const { cid } = await json<Put>(three, 'put', await file('listed.txt', 'listed'))
    const listed = await json<Array<Put & { storedAt: number }>>(three, 'ls')
    assert.deepEqual(
      listed.map((entry) => [entry.name, entry.cid, entry.size]),
      [['listed.txt', cid, 6]],
    )
    const { stdout } = await runHere(['ls', '--data', three.data])
    assert.equal(stdout, `6 B  listed.txt  ${cid}\n`)
  })

  it('removes a file everywhere, through the daemon it was put with', async () => {
    const { cid } = await json<Put>(two, 'put', await file('doomed.txt', 'soon to be removed'))
    const refused = await runHere(['rm', cid, '--data', one.data])
    assert.deepEqual([refused.status, refused.stdout], [1, ''])
    assert.match(refused.stderr, /^plaxton: bafk\w+ was put through another node: remove it there, only its owner can\n$/)

    const { removed, name } = await json<{ removed: number; name: string }>(two, 'rm', cid)
    assert.deepEqual([removed, name], [1, 'doomed.txt'])
    for (const daemon of [one, two, three]) {
      const { status, stdout, stderr } = await runHere(['get', cid, '--data', daemon.data])
      assert.deepEqual([status, stdout], [3, ''], stderr)
    }
    assert.equal((await json<Put[]>(two, 'ls')).filter((entry) => entry.cid === cid).length, 0)
    assert.equal((await runHere(['rm', cid, '--data', two.data])).status, 3)
  })

  it('removes a folder but not what another file shares with it', async () => {
    const source = join(folder.path, 'sharing')
    await mkdir(source)
    await writeFile(join(source, 'shared'), 'this is in the folder and put by itself too')
    await writeFile(join(source, 'alone'), 'this is in the folder only')
    const whole = await json<Put>(one, 'put', source)
    const shared = await json<Put>(one, 'put', join(source, 'shared'))
    const { removed, kept } = await json<{ removed: number; kept: number }>(one, 'rm', whole.guid)
    assert.deepEqual([removed, kept], [2, 1])
    assert.equal((await runHere(['get', shared.cid, '--data', two.data])).stdout, 'this is in the folder and put by itself too')
  })

  it('says who holds a file, and restores its copies', async () => {
    const { cid } = await json<Put>(one, 'put', await file('held.bin', randomBytes(mebibyte + 1)), '--quorum', 'all')
    interface Stat {
      blocks: number
      minReplicas: number
      maxReplicas: number
      wanted: number
      perBlock: Array<{ guid: string; holders: string[] }>
    }
    for (const args of [[], ['--ensure'], ['--ensure', '--replicas', '3']]) {
      const { blocks, minReplicas, maxReplicas, wanted, perBlock } = await json<Stat>(two, 'stat', cid, ...args)
      assert.deepEqual([blocks, minReplicas, maxReplicas, wanted], [3, 3, 3, 5])
      for (const { holders } of perBlock) assert.deepEqual(holders.toSorted(), [one, two, three].map(({ ready }) => ready.id).toSorted())
    }
    const { stdout } = await runHere(['stat', cid, '--data', two.data])
    assert.match(stdout, /^file\n {2}guid {6}[0-9a-f]{64}\n {2}cid {7}bafy\w+\n {2}size {6}1\.0 MiB in 3 blocks\n {2}replicas {2}3 of 5\n/)
  })

  it('knows its peers, the way to a key, and how it is', async () => {
    const ids = [two, three].map(({ ready }) => ready.id)
    interface Peers {
      self: { id: string }
      neighbors: Array<{ id: string; roundTripMs: number | null }>
      connections: Array<{ peer: string }>
    }
    const peers = await json<Peers>(one, 'peers')
    assert.equal(peers.self.id, one.ready.id)
    assert.deepEqual(peers.neighbors.map(({ id }) => id).toSorted(), ids.toSorted())
    assert.deepEqual(
      [...new Set(peers.connections.map(({ peer }) => peer))].toSorted(),
      [two, three].map(({ ready }) => ready.peerId).toSorted(),
    )

    for (const daemon of [one, two, three]) {
      const { root, hops, path } = await json<{ root: { id: string }; hops: number; path: string[] }>(daemon, 'lookup', two.ready.id)
      assert.deepEqual(
        [root.id, hops, path],
        daemon === two ? [two.ready.id, 0, [two.ready.id]] : [two.ready.id, 1, [daemon.ready.id, two.ready.id]],
      )
    }

    const status = await json<{ ready: boolean; pid: number; neighbors: number; id: string; network: string; objects: number }>(
      three,
      'status',
    )
    assert.deepEqual(
      [status.ready, status.pid, status.neighbors, status.id, status.network],
      [true, three.ready.pid, 2, three.ready.id, 'default'],
    )
    assert(status.objects > 0)
    assert.match(
      (await runHere(['status', '--data', three.data])).stdout,
      /^plaxton \d+\.\d+\.\d+ ready since .*, process \d+\n {2}id {10}[0-9a-f]{64}\n/,
    )
    assert.match((await runHere(['peers', '--data', three.data])).stdout, /^[0-9a-f]{8} has 2 neighbours {2}id, round trip, address\n/)
  })

  it('finds its daemon by the environment too', async () => {
    const { status } = await plaxton(['status', '--json'], { env: { PLAXTON_CONTROL: one.control } })
    assert.equal(status, 0)
  })

  describe('says what is wrong', () => {
    const nobodys = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    const cases: ReadonlyArray<readonly [what: string, args: readonly string[], status: number, stderr: RegExp]> = [
      ['for what nobody has', ['get', nobodys], 3, /^plaxton: .*\n$/],
      ['for a folder whose entry nobody has', ['ls', `${nobodys}/a`], 3, /^plaxton: .*\n$/],
      ['for a name that is none', ['get', 'hello'], 2, /^plaxton: .*allowed is a CID, a CID with a path, or a guid of 64 hex digits\n$/],
      [
        'for a key that is none',
        ['lookup', 'hello'],
        2,
        /^plaxton: key is "hello", allowed is a guid of 64 hex digits, a CID, or name: and up to 507 bytes\n$/,
      ],
      ['for a path that is not there', ['put', 'no/such/file'], 2, /^plaxton: there is no no\/such\/file\n$/],
      [
        'for more replicas than there may be',
        ['put', 'package.json', '--replicas', '1000'],
        2,
        /^plaxton: replicas is 1000, allowed is .*\n$/,
      ],
      [
        'for a number that is none',
        ['put', 'package.json', '--replicas', 'many'],
        2,
        /option '--replicas <count>' argument 'many' is invalid/,
      ],
      ['for --json without -o', ['get', nobodys, '--json'], 2, /^plaxton: with --json the file cannot go to stdout: say with -o/],
      ['for --replicas without --ensure', ['stat', nobodys, '--replicas', '3'], 2, /^plaxton: --replicas goes with --ensure/],
    ]
    for (const [what, args, expected, complaint] of cases) {
      it(what, async () => {
        const { status, stderr } = await runHere([...args, '--data', one.data])
        assert.match(stderr, complaint)
        assert.equal(status, expected)
      })
    }

    it('as one JSON document with --json', async () => {
      const { status, stdout } = await runHere(['rm', nobodys, '--json', '--data', one.data])
      assert.equal(status, 3)
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } }
      assert.equal(error.code, 'ERR_NOT_FOUND')
    })

    it('when a folder is to go to stdout, or onto a folder', async () => {
      const source = join(folder.path, 'onto')
      await mkdir(source)
      await writeFile(join(source, 'x'), 'x')
      const { cid } = await json<Put>(one, 'put', source)
      const toStdout = await runHere(['get', cid, '--data', two.data])
      assert.deepEqual(
        [toStdout.status, toStdout.stdout, toStdout.stderr],
        [2, '', 'plaxton: it is a folder: say with -o where to write it\n'],
      )
      const ontoFolder = await runHere(['get', cid, '-o', source, '--data', two.data])
      assert.equal(ontoFolder.status, 2)
      assert.match(ontoFolder.stderr, /is a folder already: say with -o where the new file or folder is to be/)
    })
  })

  it('survives a stat whose --replicas is out of range, and says what is allowed', async () => {
    const { cid, blocks } = await json<Put>(one, 'put', await file('three-blocks.bin', randomBytes(2 * mebibyte)))
    assert.equal(blocks, 3)
    const { status, stderr } = await runHere(['stat', cid, '--ensure', '--replicas', '10', '--data', one.data])
    assert.equal(stderr, 'plaxton: replicas is 10, allowed is a whole number from 1 to 9\n')
    assert.equal(status, 2)
    assert.equal((await runHere(['status', '--data', one.data])).status, 0)
  })

  it('ends a command at Ctrl-C with status 130, and the daemon goes on', async () => {
    const child = spawnPlaxton(['put', '-', '--data', one.data])
    child.stdin!.write('never ending')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    child.kill('SIGINT')
    const exited = once(child, 'exit') as Promise<[number]>
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    const [status] = await exited
    clearTimeout(timer)
    assert.equal(status, 130)
    assert.equal((await runHere(['status', '--data', one.data])).status, 0)
  })
})

describe('plaxton node', function () {
  this.timeout(60_000)
  this.slow(10_000)

  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  const daemons: DaemonProcess[] = []

  beforeEach(async () => {
    folder = await temporaryFolder()
  })
  afterEach(async () => {
    await Promise.all(daemons.splice(0).map((daemon) => daemon.end('SIGKILL')))
    await folder.remove()
  })

  function daemon(name: string, ...args: string[]): DaemonProcess {
    const made = new DaemonProcess(join(folder.path, name), args)
    daemons.push(made)
    return made
  }

  it('leaves at SIGTERM with status 0 and nothing left of its socket', async () => {
    const node = daemon('a')
    await node.start()
    assert.equal((await stat(node.control)).mode & 0o777, 0o600)
    assert.equal(await node.end('SIGTERM'), 0)
    assert.deepEqual((await readdir(node.data)).toSorted(), ['identity.key', 'owner.key', 'peers.json', 'store'])
  })

  it('hands its objects over when it leaves', async () => {
    const first = daemon('a')
    const { multiaddrs } = await first.start()
    const put = JSON.parse((await plaxton(['put', '-', '--json', '--data', first.data], { stdin: 'handed over' })).stdout) as {
      cid: string
    }
    const second = daemon('b', '--bootstrap', multiaddrs[0]!)
    await second.start()
    assert.equal(await first.end('SIGTERM'), 0)
    assert.equal((await runHere(['get', put.cid, '--data', second.data])).stdout, 'handed over')
  })

  it('is the same node at the same address after kill -9, with what it held', async () => {
    const node = daemon('a')
    const before = await node.start()
    const put = JSON.parse((await plaxton(['put', '-', '--json', '--data', node.data], { stdin: 'kept' })).stdout) as { cid: string }
    assert.equal(await node.end('SIGKILL'), 'SIGKILL')
    const after = await node.start()
    assert.deepEqual([after.id, after.peerId, after.multiaddrs], [before.id, before.peerId, before.multiaddrs])
    assert.equal((await runHere(['get', put.cid, '--data', node.data])).stdout, 'kept')
    assert.equal((JSON.parse((await runHere(['ls', '--json', '--data', node.data])).stdout) as unknown[]).length, 1)
  })

  it('listens elsewhere when somebody else has its port by now', async () => {
    const node = daemon('a')
    const before = await node.start()
    await node.end('SIGTERM')
    const port = Number(/tcp\/(\d+)/.exec(before.multiaddrs[0]!)![1])
    const taken = createServer().listen(port, '127.0.0.1')
    await once(taken, 'listening')
    const after = await node.start()
    taken.close()
    assert.equal(after.id, before.id)
    assert.notDeepEqual(after.multiaddrs, before.multiaddrs)
  })

  it('finds the others again without the node it once joined through', async () => {
    const first = daemon('a')
    const { multiaddrs } = await first.start()
    const [second, third] = [daemon('b', '--bootstrap', multiaddrs[0]!), daemon('c', '--bootstrap', multiaddrs[0]!)]
    await second.start()
    await third.start()
    const put = JSON.parse(
      (await plaxton(['put', '-', '--json', '--quorum', 'all', '--data', third.data], { stdin: 'still here' })).stdout,
    ) as { cid: string }
    await new Promise((resolve) => setTimeout(resolve, 500))
    await Promise.all([first, second, third].map((each) => each.end('SIGKILL')))
    await Promise.all([second.start(), third.start()])
    const peers = JSON.parse((await runHere(['peers', '--json', '--data', second.data])).stdout) as { neighbors: Array<{ id: string }> }
    assert(
      peers.neighbors.some(({ id }) => id === third.ready.id),
      'the two have not found each other',
    )
    assert.equal((await runHere(['get', put.cid, '--data', second.data])).stdout, 'still here')
  })

  it('refuses a data folder that another daemon has, naming its process', async () => {
    const node = daemon('a')
    const { pid } = await node.start()
    const { status, stderr } = await plaxton(['node', '--data', node.data])
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`^plaxton: .* is in use by process ${pid}: stop that one, or give this node another --data\\n$`))
  })

  it('refuses a control socket that another daemon has', async () => {
    const node = daemon('a')
    await node.start()
    const { status, stderr } = await plaxton(['node', '--data', join(folder.path, 'b'), '--control', node.control])
    assert.equal(status, 1)
    assert.match(stderr, /^plaxton: a daemon answers at .* already: stop it, or give this one another --data or --control\n$/)
  })

  it('runs from a configuration file, and refuses one with an unknown key', async () => {
    const config = join(folder.path, 'plaxton.json')
    await writeFile(config, JSON.stringify({ network: 'lab', past: { capacityBytes: 1_000_000 } }))
    const node = daemon('a', '--config', config)
    await node.start()
    assert.equal((JSON.parse((await runHere(['status', '--json', '--data', node.data])).stdout) as { network: string }).network, 'lab')

    await writeFile(config, JSON.stringify({ netwrok: 'lab' }))
    const { status, stderr } = await plaxton(['node', '--config', config, '--data', join(folder.path, 'b')])
    assert.equal(status, 2)
    assert.match(stderr, /^plaxton: netwrok in .* is not known; the configuration may have listen, bootstrap, /)
  })

  it('refuses a parameter out of range before it makes anything', async () => {
    const config = join(folder.path, 'plaxton.json')
    const data = join(folder.path, 'never')
    for (const [section, complaint] of [
      [{ pastry: { leafSetSize: 3 } }, 'pastry.leafSetSize in .* is 3, allowed is an even number'],
      [{ overlay: 'tapestry', tapestry: { redundancy: 0 } }, 'tapestry.redundancy in .* is 0, allowed is .*'],
      [{ past: { replicas: 0 } }, 'past.replicas in .* is 0, allowed is .*'],
      [{ dolr: { roots: 1.5 } }, 'dolr.roots in .* is 1.5, allowed is .*'],
    ] as const) {
      await writeFile(config, JSON.stringify(section))
      const { status, stderr } = await plaxton(['node', '--config', config, '--data', data])
      assert.match(stderr, new RegExp(`^plaxton: ${complaint}\\n$`))
      assert.equal(status, 2)
      assert(!existsSync(data))
    }
  })

  it('says when nobody answers where it was to join, and is a network of its own', async () => {
    const child = spawnPlaxton(['node', '--data', join(folder.path, 'a'), '--bootstrap', '/ip4/127.0.0.1/tcp/1'])
    try {
      let [out, err] = ['', '']
      child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
      child.stderr!.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
      while (!err.includes('Ctrl-C leaves') && child.exitCode === null) await once(child.stderr!, 'data')
      assert.match(out, /^ready as [0-9a-f]{64} at \/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+\n$/)
      assert.match(
        err,
        /\nno node of the network "default" answers at the bootstrap addresses: this node is alone for now, and goes on trying\n  no answer from \/ip4\/127\.0\.0\.1\/tcp\/1\nready in /,
      )
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('tells with --json which bootstrap addresses are silent and which of another network, and whether it is alone', async () => {
    const other = daemon('a', '--network', 'other')
    const first = await other.start()
    const [elsewhere, silent] = [first.multiaddrs[0]!, '/ip4/127.0.0.1/tcp/1']
    assert.deepEqual([first.alone, first.silent, first.elsewhere], [true, [], []])
    const lost = await daemon('b', '--bootstrap', elsewhere, '--bootstrap', silent).start()
    assert.deepEqual([lost.alone, lost.silent, lost.elsewhere], [true, [silent], [elsewhere]])
    const found = await daemon('c', '--network', 'other', '--bootstrap', elsewhere, '--bootstrap', silent).start()
    assert.deepEqual([found.alone, found.silent, found.elsewhere], [false, [], []])
  })

  it('says where it cannot listen', async () => {
    const node = daemon('a')
    const { multiaddrs } = await node.start()
    const port = /tcp\/(\d+)/.exec(multiaddrs[0]!)![1]
    const { status, stderr }: Ended = await plaxton(['node', '--data', join(folder.path, 'b'), '--listen', `/ip4/127.0.0.1/tcp/${port}`])
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^plaxton: cannot listen at \/ip4\/127\.0\.0\.1\/tcp\/\d+, address already in use .*: say another address with --listen\n$/,
    )
  })
})
