import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

describe('the example swap-overlay', function () {
  this.timeout(120_000)
  this.slow(60_000)

  it('prints a line of figures for each overlay', async () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--conditions=plaxton-source', main])
    assert.equal(stderr, '')
    const [, heading, ...rows] = stdout.trimEnd().split('\n')
    assert.equal(heading?.trim().split(/ {2,}/).join('|'), 'overlay|put|get|publish|send|lookup|hops')
    assert.deepEqual(
      rows.map((row) => row.replaceAll(/ +\d+\.\d+/g, ' #')),
      ['pastry', 'tapestry', 'chord', 'kademlia', 'can'].map((name) => `${name} # # # # # #`),
    )
  })
})
