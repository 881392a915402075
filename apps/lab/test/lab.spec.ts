import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lab } from './command-line.ts'

describe('the command line', function () {
  this.timeout(60_000)
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'plaxton-lab-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('compare prints a table and writes the page and the JSON', async () => {
    const { status, out } = await lab('compare', '--overlays', 'pastry', '--nodes', '12', '--minutes', '1', '--out', folder)
    assert.equal(status, 0)
    assert.match(out, /12 nodes, topology transit-stub, 1 min/)
    assert.match(out, /hops, mean +\d/)
    assert.match(readFileSync(join(folder, 'compare.html'), 'utf8'), /^<!doctype html>/)
    const written = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8')) as { workload: object }
    assert.deepEqual(written.workload, { nodes: 12, topology: 'transit-stub', sessionMinutes: 30, minutes: 1 })
  })

  it('compare --json prints what it writes', async () => {
    const { out } = await lab('compare', '--overlays', 'pastry', '--nodes', '12', '--minutes', '1', '--out', folder, '--json')
    assert.equal(out, readFileSync(join(folder, 'compare.json'), 'utf8'))
  })

  it('claims prints one row when one is asked for, and a row that is not built says so', async () => {
    const { status, out } = await lab('claims', '--rows', 'anonymity')
    assert.equal(status, 0)
    assert.match(out, /^ANONYMITY: not built$/m)
    assert.doesNotMatch(out, /SCALE/)
  })

  it('claims --json says the verdict of each row', async () => {
    const { out } = await lab('claims', '--rows', 'anonymity', '--json', '--overlay', 'tapestry', '--nodes', '20', '--seed', '3')
    const { overlays: measured, ...rest } = JSON.parse(out) as {
      overlays: ReadonlyArray<{ overlay: string; exhibits: ReadonlyArray<{ row: string; verdict: string }> }>
    }
    assert.deepEqual(rest, { format: 'plaxton lab claims 2', seed: 3, nodes: 20 })
    assert.deepEqual(
      measured.map(({ overlay, exhibits }) => [overlay, exhibits.map(({ row, verdict }) => [row, verdict])]),
      [['tapestry', [['anonymity', 'not built']]]],
    )
  })

  it('claims of several overlays end with what held on which', async () => {
    const { status, out } = await lab('claims', '--rows', 'network-dynamics,anonymity', '--overlay', 'pastry,chord', '--nodes', '20')
    assert.equal(status, 0, out)
    assert.deepEqual(out.trimEnd().split('\n').slice(-3), [
      '                        pastry     chord',
      'network dynamics        held       held',
      'anonymity               not built  not built',
    ])
  })

  for (const [args, words] of [
    [['compare', '--overlays', 'pastry,torus'], /--overlays is "torus", allowed is pastry, tapestry/],
    [['compare', '--nodes', '3'], /--nodes is 3, allowed is a whole number from 10 on/],
    [['compare', '--topology', 'ring'], /--topology is "ring", allowed is transit-stub/],
    [['compare', '--seeds', '5..1'], /--seeds is 1, allowed/],
    [['compare', '--colour', 'red'], /--colour/],
    [['claims', '--overlay', 'pastry,torus'], /--overlay is "torus", allowed is pastry, tapestry/],
    [['claims', '--rows', 'wisdom'], /--rows is "wisdom", allowed is scale/],
    [['measure'], /Usage/],
    [[], /Usage/],
  ] as const) {
    it(`"${args.join(' ')}" is called wrongly: status 2 and what is allowed`, async () => {
      const { status, out, err } = await lab(...args)
      assert.equal(status, 2)
      assert.equal(out, '')
      assert.match(err, words)
    })
  }

  it('--help prints how to call it', async () => {
    const { status, out } = await lab('compare', '--help')
    assert.equal(status, 0)
    assert.match(out, /^Usage: plaxton-lab/)
  })
})
