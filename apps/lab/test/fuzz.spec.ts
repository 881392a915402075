import assert from 'node:assert/strict'
import { lab } from './command-line.ts'

describe('plaxton lab fuzz', function () {
  this.timeout(60_000)

  it('says how much it ran when nothing was found', async () => {
    const { status, out } = await lab('fuzz', '--overlay', 'kademlia', '--runs', '2', '--nodes', '3', '--seed', '2')
    assert.equal(status, 0)
    assert.match(out, /^kademlia, 2 to 3 nodes at the beginning: 2 runs, seeds 2 to 3, \d+ messages; 0 failed\n$/)
  })

  const jsonRun = ['fuzz', '--runs', '2', '--nodes', '3', '--seed', '5', '--json']

  it('--json prints a line for each run, the same every time', async () => {
    const [first, second] = [await lab(...jsonRun), await lab(...jsonRun)]
    assert.equal(first.out, second.out)
    const runs = first.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seed: number; violations: unknown[] })
    assert.deepEqual(
      runs.map(({ seed, violations }) => [seed, violations]),
      [
        [5, []],
        [6, []],
      ],
    )
  })

  it('gives the same bytes with one process and with two', async () => {
    const args = ['fuzz', '--runs', '14', '--nodes', '3', '--seed', '5', '--json']
    const [one, two] = [await lab(...args), await lab(...args, '--jobs', '2')]
    assert.equal(one.out.trimEnd().split('\n').length, 14)
    assert.equal(two.out, one.out)
  })

  it('--replay runs one scenario, and ends with status 1 when a check fails', async () => {
    const sound = await lab('fuzz', '--overlay', 'chord', '--replay', 'seed 3; on plane; past 2; 0 start 0; 1 start 1; 20 put 0 1 50')
    assert.equal(sound.status, 0)
    assert.match(sound.out, /^chord: no check failed; \d+ messages in \d+ virtual s; trace [0-9a-f]{16}\n$/)
    // No overlay here is known to fail; what PAST refuses to store is reported like anything else that is thrown.
    const refused = await lab('fuzz', '--replay', 'seed 3; past 1; 0 start 0; 20 put 0 1 3000000')
    assert.equal(refused.status, 1)
    assert.match(refused.out, /^pastry: 1 VIOLATIONS; .*\n  at 20000 ms, no core throws: /)
  })

  for (const [args, words] of [
    [['fuzz', '--overlay', 'torus'], /--overlay is "torus", allowed is pastry/],
    [['fuzz', '--minutes', '0'], /--minutes is 0/],
    [['fuzz', '--replay', '0 explode 3'], /--replay: .*explode/],
  ] as const) {
    it(`"${args.join(' ')}" is called wrongly: status 2 and what is allowed`, async () => {
      const { status, err } = await lab(...args)
      assert.equal(status, 2)
      assert.match(err, words)
    })
  }
})
