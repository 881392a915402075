import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

describe('the example object-chat', function () {
  this.timeout(120_000)
  this.slow(60_000)

  it('tells how keepers of a room die and others answer', async () => {
    const story = fileURLToPath(new URL('../src/story.ts', import.meta.url))
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--conditions=plaxton-source', story])
    assert.equal(stderr, '')
    const lines = stdout.trimEnd().split('\n')
    const said = lines.filter((line) => line.startsWith('dora says: ')).map((line) => line.slice('dora says: '.length))
    const answers = lines.flatMap((line) => /^dora reads the room: (\w+) answers in \d+\.\d ms$/.exec(line)?.[1] ?? [])
    const killed = lines.flatMap((line) => /^kill -9 of (\w+)$/.exec(line)?.[1] ?? [])

    // Whoever answered is killed twice, then the one that is left; the first to die has come back by then.
    assert.equal(said.length, 2)
    assert.deepEqual(killed.toSorted(), ['ann', 'ben', 'cleo'])
    assert.deepEqual(answers, [...killed, killed[0]])
    assert.deepEqual(
      lines.slice(-2),
      said.map((text) => `    dora: ${text}`),
      'the last to answer does not know what was said',
    )
  })
})
