import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plaxton, spawnPlaxton } from './support/plaxton-process.ts'
import { temporaryFolder } from './support/temporary.ts'

interface Report {
  ok: boolean
  nodes: number
  steps: Array<{ name: string; outcome: string; title: string }>
}

describe('plaxton up', function () {
  this.timeout(120_000)
  this.slow(30_000)

  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let input: string
  before(async () => {
    folder = await temporaryFolder()
    input = join(folder.path, 'input')
    await mkdir(join(input, 'below'), { recursive: true })
    await mkdir(join(input, 'node_modules'))
    await writeFile(join(input, 'README.md'), 'read me\n')
    await writeFile(join(input, 'empty'), '')
    await writeFile(join(input, 'below', 'large'), Buffer.alloc(1_500_000, 'large'))
    await writeFile(join(input, 'below', 'copy of readme'), 'copied\n')
    await writeFile(join(input, 'copy'), 'copied\n')
    await writeFile(join(input, 'node_modules', 'left-out'), 'left out')
  })
  after(() => folder.remove())

  const all = ['start', 'store', 'read', 'count', 'kill', 'read again', 'repair', 'remove']

  for (const nodes of [1, 2, 3, 7]) {
    it(`holds with ${nodes} node${nodes === 1 ? '' : 's'}`, async () => {
      const { status, stdout, stderr } = await plaxton(['up', '--exit', '--json', '--nodes', `${nodes}`, '--input', input], {
        timeoutMs: 100_000,
      })
      assert.equal(status, 0, `${stderr}\n${stdout}`)
      assert.equal(stderr, '')
      const { ok, steps, nodes: reported } = JSON.parse(stdout) as Report
      assert.deepEqual([ok, reported], [true, nodes])
      assert.deepEqual(
        steps.map(({ name, outcome }) => [name, outcome]),
        (nodes === 1 ? all.filter((name) => !/again|repair/.test(name)) : all).map((name) => [
          name,
          nodes === 1 && name === 'kill' ? 'skipped' : 'held',
        ]),
      )
      assert.match(steps[1]!.title, /^Stored 5 files, 1\.4 MiB in \d blocks$/)
    })
  }

  it('holds over Tapestry', async () => {
    const { status, stdout, stderr } = await plaxton(['up', '--exit', '--overlay', 'tapestry', '--nodes', '7', '--input', input], {
      timeoutMs: 100_000,
    })
    assert.equal(status, 0, `${stderr}\n${stdout}`)
    assert.match(stdout, /^ {5}Tapestry and PAST on libp2p: /m)
    assert.match(stdout, /^ {2}All of it held, in /m)
  })

  it('tells each step as it happens, with its time', async () => {
    const { status, stdout } = await plaxton(['up', '--exit', '--nodes', '2', '--input', input])
    assert.equal(status, 0)
    const plain = stdout
      .replaceAll(/ {2,}\d[\d.]* m?s$/gm, ' TIME')
      .replaceAll(/[0-9a-f]{8}/g, 'ID')
      .replaceAll(/in \d[\d.]* m?s/g, 'in TIME')
    assert.equal(
      plain,
      `
  Plaxton, a network of 2 nodes on this computer

  ✓  Started 2 nodes: one network, each finds every other TIME
     Pastry and PAST on libp2p: loopback TCP, noise, yamux; a data folder each
  ✓  Stored 5 files, 1.4 MiB in 6 blocks TIME
     ${input}, put through one node; durable on most of 2 nodes each
  ✓  Read all of it back: 5 files, every SHA-256 equal TIME
     1.4 MiB through 1 other node
  ✓  Counted copies: 6 blocks, each on 2 nodes TIME
  ✓  Killed 1 node without warning: 6 copies lost with it TIME
     ID: 1 of the 2 that held README.md
  ✓  Read all of it again: 5 files, every SHA-256 equal TIME
     1.4 MiB through the only node there is
  ✓  Repaired: 6 blocks, each again on 1 node TIME
  ✓  Removed README.md: it is gone from every node TIME
     1 node asked, none finds it; 1 disk held it before, none does now

  All of it held, in TIME.
`,
    )
  })

  it('stays up for other commands until Ctrl-C, and then leaves nothing behind', async () => {
    const data = join(folder.path, 'kept')
    const child = spawnPlaxton(['up', '--nodes', '3', '--input', input, '--data', data, '--overlay', 'tapestry'])
    let out = ''
    child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
    while (!out.includes('stays up until Ctrl-C') && child.exitCode === null) await once(child.stdout!, 'data')
    assert.match(
      out,
      /^ {4}plaxton node --data DIR --network local --overlay tapestry --bootstrap \/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+$/m,
    )
    const control = /PLAXTON_CONTROL=(\S+)/.exec(out)?.[1] ?? ''
    const listed = await plaxton(['ls', '--json'], { env: { PLAXTON_CONTROL: control } })
    // README.md was removed, and two files have the same content.
    assert.deepEqual((JSON.parse(listed.stdout) as Array<{ name: string }>).length, 3, listed.stdout)
    child.kill('SIGINT')
    const [status] = (await once(child, 'exit')) as [number]
    assert.equal(status, 0)
    assert.deepEqual((await readdir(data)).toSorted(), ['node-00', 'node-01', 'node-02'])
    assert(!existsSync(control))
  })

  it('ends at Ctrl-C in the middle with status 130', async () => {
    const child = spawnPlaxton(['up', '--nodes', '7', '--input', input])
    await once(child.stdout!, 'data')
    child.kill('SIGINT')
    const [status] = (await once(child, 'exit')) as [number]
    assert.equal(status, 130)
  })
})
