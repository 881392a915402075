import assert from 'node:assert/strict'
import { eachAtOnce } from '../src/each-at-once.ts'

describe('eachAtOnce', () => {
  const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  it('works on all items, never on more than the width at a time', async () => {
    let [now, most] = [0, 0]
    const done: number[] = []
    await eachAtOnce([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++now)
      await soon()
      now--
      done.push(item)
    })
    assert.deepEqual([done.toSorted((a, b) => a - b), most], [[1, 2, 3, 4, 5, 6, 7], 3])
  })

  // Mocha fails a test during which a rejection is unhandled.
  it('rejects with the first failure at once, although the next item is still to come', async () => {
    const begun: string[] = []
    async function* items(): AsyncGenerator<string> {
      yield 'bad'
      await new Promise<void>(() => {})
      yield 'never'
    }
    const work = async (item: string): Promise<void> => {
      begun.push(item)
      throw new Error(`cannot do ${item}`)
    }
    await assert.rejects(eachAtOnce(items(), 4, work), { message: 'cannot do bad' })
    await soon()
    assert.deepEqual(begun, ['bad'])
  })

  it('begins nothing after a failure, and leaves no failure unhandled of what was under way', async () => {
    const begun: number[] = []
    const work = async (item: number): Promise<void> => {
      begun.push(item)
      if (item === 2) await soon()
      throw new Error(`cannot do ${item}`)
    }
    await assert.rejects(eachAtOnce([1, 2, 3, 4], 2, work), { message: 'cannot do 1' })
    await soon()
    await soon()
    assert.deepEqual(begun, [1, 2])
  })

  it('rejects with the failure of the items themselves', async () => {
    async function* items(): AsyncGenerator<number> {
      yield 1
      throw new Error('no more')
    }
    await assert.rejects(eachAtOnce(items(), 2, soon), { message: 'no more' })
  })
})
