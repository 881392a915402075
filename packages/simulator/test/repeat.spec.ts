import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runMix } from '../src/mix.ts'

const main = fileURLToPath(new URL('../bin/simulate.ts', import.meta.url))

describe('repeating', () => {
  it('one seed has one history, in two processes', function () {
    this.timeout(60_000)
    const [first, second] = [mixInProcess(), mixInProcess()]
    assert.match(first.traceHash, /^[0-9a-f]{16}$/)
    assert.deepEqual(second, first)
  })

  it('one process and two print the same bytes, in the order of the seeds', function () {
    this.timeout(120_000)
    for (const args of [
      ['mix', '--seeds', '14..17', '--nodes', '2', '--json'],
      ['chord', 'failures', '--seeds', '1..3', '--nodes', '100', '--lookups', '100', '--json'],
    ]) {
      const [one, two] = [command(...args), command(...args, '--jobs', '2')]
      assert.ok(one.stdout.trimEnd().split('\n').length >= 3)
      assert.equal(two.stdout, one.stdout)
      assert.equal(two.status, one.status)
    }
  })

  it('the command says what it can do, and refuses what it cannot', () => {
    assert.match(command('--help').stdout, /npm run simulate -- COMMAND/)
    assert.equal(command('nonsense').status, 2)
    assert.equal(command('mix', '--nodes', 'many').status, 2)
  })
})

describe('a slice of the mix', () => {
  // As many as fit into some seconds; `npm run simulate -- mix --seeds 1..2000` is the whole.
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`seed ${seed} with 40 nodes: nothing that must not be`, function () {
      this.timeout(60_000)
      const { violations, plan } = runMix({ seed, nodes: 40 })
      assert.deepEqual(violations.kept, [], `npm run simulate -- mix --seed ${seed} --nodes 40\n${plan}`)
    })
  }
})

describe('a slice of the mix with every overlay and service', () => {
  const slices = [
    { seed: 1, overlay: 'pastry', services: ['dolr'] },
    { seed: 5, overlay: 'tapestry', services: ['past'] },
    { seed: 3, overlay: 'tapestry', services: ['past', 'dolr'] },
  ] as const
  for (const { seed, overlay, services } of slices) {
    it(`seed ${seed} with 20 nodes of ${overlay}, ${services.join(' and ')}: nothing that must not be`, function () {
      this.timeout(60_000)
      const { violations, plan } = runMix({ seed, nodes: 20, overlay, services })
      const repeat = `npm run simulate -- mix --seed ${seed} --nodes 20 --overlay ${overlay} --services ${services.join()}`
      assert.deepEqual(violations.kept, [], `${repeat}\n${plan}`)
    })
  }
})

function mixInProcess(): { readonly traceHash: string } {
  const { stdout, stderr } = command('mix', '--seed', '5', '--nodes', '20', '--json')
  assert.equal(stderr, '')
  return JSON.parse(stdout) as { traceHash: string }
}

function command(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ['--conditions=plaxton-source', main, ...args], { encoding: 'utf8' })
}
