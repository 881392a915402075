import assert from 'node:assert/strict'
import { overlayNames } from '../src/overlays.ts'
import { Scenario } from './real-processes/scenario.ts'
import { temporaryFolder } from './support/temporary.ts'

// A short slice of `npm run soak -w apps/cli`.
describe('real processes', function () {
  this.timeout(120_000)
  this.slow(60_000)

  for (const overlay of overlayNames) {
    it(`give back every acknowledged file after one was killed, and after all were, over ${overlay}`, async () => {
      const folder = await temporaryFolder()
      const lines: string[] = []
      try {
        const { acknowledged, failures } = await new Scenario({
          overlay,
          daemons: 4,
          files: 10,
          minBytes: 1,
          maxBytes: 3 * 1024 * 1024,
          kills: 1,
          killEveryMs: 1_000,
          restartAfterMs: 1_500,
          seed: 'slice',
          folder: folder.path,
          say: (line) => lines.push(line),
        }).run()
        assert.equal(acknowledged, 10)
        assert.deepEqual(failures, [], lines.join('\n'))
      } finally {
        await folder.remove()
      }
    })
  }
})
