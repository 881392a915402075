import assert from 'node:assert/strict'
import { join } from 'node:path'
import { plaxton } from './support/plaxton-process.ts'
import { runHere } from './support/run-here.ts'
import { temporaryFolder } from './support/temporary.ts'

describe('the plaxton command', function () {
  this.timeout(20_000)
  this.slow(3_000)

  const storage = ['put', 'get', 'rm', 'ls', 'stat']
  const objects = ['publish', 'unpublish', 'locate', 'send', 'host']
  const commands = ['up', 'node', ...storage, ...objects, 'peers', 'lookup', 'status']

  it('says what there is', async () => {
    const { status, stdout, stderr } = await runHere(['--help'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^Usage: plaxton \[options\] \[command\]\n/)
    for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, 'm'))
    assert.match(stdout, /^Exit status: 0 done, 1 failed, 2 called wrongly, 3 not found, 4 no daemon or not ready, 5 /m)
  })

  it('has help for each command, with --json in it', async () => {
    for (const command of commands) {
      const { status, stdout } = await runHere([command, '--help'])
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`^Usage: plaxton ${command} `))
      assert.match(stdout, /--json/)
    }
  })

  it('has a version, also as a process of its own', async () => {
    const { status, stdout } = await plaxton(['--version'])
    assert.equal(status, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })

  it('ends with one sentence and status 2 on a Node that is too old', async () => {
    const asNode20 = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.1.0'}})`
    const { status, stdout, stderr } = await plaxton(['up', '--exit'], {
      env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(asNode20)}` },
    })
    assert.deepEqual([status, stdout, stderr], [2, '', 'plaxton: needs Node 22 or newer, and this is Node 20.1.0\n'])
  })

  it('ends with status 2 when it is called wrongly', async () => {
    for (const args of [
      ['fly'],
      ['put'],
      ['get'],
      ['put', 'a', 'b'],
      ['ls', '--fast'],
      ['put', 'a', '--quorum', 'some'],
      ['up', '--nodes', 'x'],
    ]) {
      const { status, stderr } = await runHere(args)
      assert.equal(status, 2, args.join(' '))
      assert.match(stderr, /^error: .*\n/)
    }
  })

  it('tells with status 4 that there is no daemon, and how to start one', async () => {
    const folder = await temporaryFolder()
    try {
      for (const args of [
        ['ls'],
        ['status'],
        ['peers'],
        ['get', 'ab'.repeat(32)],
        ['locate', 'name:a'],
        ['host', 'name:a', '--exec', 'true'],
      ]) {
        const { status, stdout, stderr } = await runHere([...args, '--data', folder.path])
        assert.deepEqual([status, stdout], [4, ''])
        assert.equal(
          stderr,
          `plaxton: no daemon answers at ${join(folder.path, 'control.sock')}: start one with \`plaxton node --data DIR\`, or say with --data or --control where yours is\n`,
        )
      }
    } finally {
      await folder.remove()
    }
  })

  it('names the overlays there are, and refuses another', async () => {
    for (const command of ['up', 'node']) {
      assert.match(
        (await runHere([command, '--help'])).stdout,
        /the routing overlay:\s+pastry,\s+tapestry,\s+chord,\s+can,\s+kademlia\s+\(default:\s+"pastry"\)/,
      )
      const { status, stderr } = await runHere([command, '--overlay', 'bus'])
      assert.deepEqual([status, stderr], [2, 'plaxton: there is no overlay "bus"; there is pastry, tapestry, chord, can, kademlia\n'])
    }
  })

  it('refuses networks that cannot end well', async () => {
    const refused: ReadonlyArray<readonly [string[], RegExp]> = [
      [['--nodes', '0'], /--nodes is 0, allowed is 1 to 64/],
      [['--nodes', '65'], /--nodes is 65, allowed is 1 to 64/],
      [['--nodes', '16', '--kill', '5'], /--kill is 5, allowed is 0 to 4: every block has 5 copies, and one of them must be left/],
      [['--nodes', '2', '--kill', '2'], /--kill is 2, allowed is 0 to 1: one of 2 must be left/],
      [['--input', 'no/such/folder'], /--input no\/such\/folder is no folder/],
    ]
    for (const [args, complaint] of refused) {
      const { status, stderr } = await runHere(['up', '--exit', ...args])
      assert.match(stderr, complaint)
      assert.equal(status, 2)
    }
  })
})
