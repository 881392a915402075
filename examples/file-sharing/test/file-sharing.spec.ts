import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { overlays } from '../src/over.ts'
import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

const source = (name: string): string => fileURLToPath(new URL(`../src/${name}`, import.meta.url))
const run = promisify(execFile)

describe('the example file-sharing', function () {
  this.timeout(300_000)
  this.slow(120_000)

  it('tells what dies with the servers of a central index, and what lives on over an overlay', async () => {
    const { stdout, stderr } = await run(process.execPath, [
      '--conditions=plaxton-source',
      source('story.ts'),
      '--over',
      'central,pastry',
      '--tries',
      '10',
    ])
    assert.equal(stderr, '')
    const [, heading, ...lines] = stdout.trimEnd().split('\n')
    assert.match(heading!, /^over +died +found +fetched +ms, median$/)
    const rows = lines.map((line) => /^(\w+) +(.*?) +(\d+) of (\d+) +(\d+) of \d+ +(\d+|-)$/.exec(line)!)
    const share = (row: RegExpExecArray): number => Number(row[5]) / Number(row[4])
    const of = (over: string, died: string): number => share(rows.find((row) => row[1] === over && row[2] === died)!)

    assert.equal(of('central', 'nobody'), 1)
    assert.equal(of('central', '1 of 2 servers'), 1)
    assert.equal(of('central', '2 of 2 servers'), 0)
    assert(of('central', '1 server is back since 15 s') >= 0.9)
    assert.equal(of('pastry', 'nobody'), 1)
    for (const died of ['1 of 12 peers', '2 of 12 peers', '6 of 12 peers']) {
      assert(of('central', died) >= 0.9, `central, ${died}`)
      assert(of('pastry', died) >= 0.9, `pastry, ${died}`)
    }
  })

  it('measures what the busiest node has to do', async () => {
    const options = ['--over', 'central,pastry', '--peers', '6,18', '--seconds', '10']
    const { stdout, stderr } = await run(process.execPath, ['--conditions=plaxton-source', source('load.ts'), ...options])
    assert.equal(stderr, '')
    const rows = stdout
      .trimEnd()
      .split('\n')
      .slice(2)
      .map((line) => line.trim().split(/ +/))
    assert.deepEqual(
      rows.map(([over, peers, , , , , , failed]) => [over, peers, failed]),
      [
        ['central', '6', '0'],
        ['central', '18', '0'],
        ['pastry', '6', '0'],
        ['pastry', '18', '0'],
      ],
    )
    const [few, many] = rows.slice(0, 2).map((row) => Number(row[2])) as [number, number]
    assert(many > 2 * few, `three times as many clients are ${(many / few).toFixed(1)} times the load for the server`)
  })

  for (const over of ['central', ...Object.keys(overlays)]) {
    it(`shares a folder, searches and fetches by hand, over ${over}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'file-sharing-'))
      const children: Child[] = []
      try {
        await writeFile(join(folder, 'blue train.txt'), 'all aboard')
        const addresses: string[] = []
        if (over === 'central') {
          const server = start(children, 'serve.ts', '45871')
          addresses.push(/\/ip4\S+/.exec(await server.line())![0])
        }
        const ann = start(children, 'main.ts', folder, ...addresses, '--over', over)
        const greeting = await ann.line()
        assert.match(greeting, new RegExp(`^1 files shared over ${over}`))
        const other = await mkdtemp(join(folder, 'ben-'))
        const ben = start(children, 'main.ts', other, ...(over === 'central' ? addresses : [/\/ip4\S+/.exec(greeting)![0]]), '--over', over)
        assert.match(await ben.line(), /^0 files shared/)
        await ben.line()
        ben.type('TRAIN blue')
        assert.equal(await ben.line(), '1. blue train.txt, 10 bytes, offered by 1')
        ben.type('get 1')
        let line = await ben.line()
        while (line.startsWith(' ')) line = await ben.line()
        assert.equal(line, 'fetched blue train.txt, 10 bytes, and offered here from now on')
        assert.equal(await readFile(join(other, 'blue train.txt'), 'utf8'), 'all aboard')
      } finally {
        for (const { process: child } of children) child.kill('SIGKILL')
        await rm(folder, { recursive: true })
      }
    })
  }
})

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  line(): Promise<string>
  type(text: string): void
}

function start(children: Child[], main: string, ...args: string[]): Child {
  const child = spawn(process.execPath, ['--conditions=plaxton-source', source(main), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(line))
  const started: Child = {
    process: child,
    async line() {
      while (lines.length === 0) await once(reader, 'line')
      return lines.shift()!
    },
    type: (text) => void child.stdin.write(`${text}\n`),
  }
  children.push(started)
  return started
}
