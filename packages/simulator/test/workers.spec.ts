import assert from 'node:assert/strict'
import { chunksOf, sideBySide } from '../src/workers.ts'

describe('work side by side', () => {
  /** Resolves in the order of the delays, not of the pieces. */
  const after = (turns: number): Promise<number> => (turns === 0 ? Promise.resolve(0) : Promise.resolve().then(() => after(turns - 1)))

  for (const jobs of [1, 2, 5]) {
    it(`with ${jobs} at a time hands over in the order of the pieces, whichever is done first`, async () => {
      const handedOver: number[] = []
      let running = 0
      let most = 0
      await sideBySide(
        [30, 5, 20, 1, 0, 9],
        jobs,
        async (turns) => {
          most = Math.max(most, ++running)
          await after(turns)
          running--
          return turns
        },
        (turns) => handedOver.push(turns) > 0,
      )
      assert.deepEqual(handedOver, [30, 5, 20, 1, 0, 9])
      assert.equal(most, jobs)
    })
  }

  it('ends after the piece that is said to be the last', async () => {
    const handedOver: number[] = []
    let taken = 0
    await sideBySide(
      Array.from({ length: 100 }, (_, i) => i),
      2,
      async (piece) => {
        taken++
        await after(3)
        return piece
      },
      (piece) => handedOver.push(piece) < 4,
    )
    assert.deepEqual(handedOver, [0, 1, 2, 3])
    assert.ok(taken <= 6)
  })

  it('fails when a piece fails', async () => {
    await assert.rejects(
      sideBySide(
        [1, 2],
        2,
        (piece) => (piece === 2 ? Promise.reject(new Error('broken by hand')) : after(9)),
        () => true,
      ),
      /broken by hand/,
    )
  })

  it('cuts seeds into pieces of which only the last may be short', () => {
    assert.deepEqual(chunksOf([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]])
    assert.deepEqual(chunksOf([], 2), [])
  })
})
