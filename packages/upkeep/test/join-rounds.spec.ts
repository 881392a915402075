import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { JoinRounds } from '../src/index.ts'

function ref(id: string): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch: 1 }
}

const config = { joinRetryMs: 100, joinRetryMaxMs: 400 }
const rounds = (self: string, ...bootstraps: string[]): JoinRounds =>
  new JoinRounds(ref(self), bootstraps.map(ref), config, Prng.fromSeed('rounds'))

describe('the rounds of a joiner', () => {
  it('try one bootstrap node after the other at once, and pause after each round, longer and longer up to a limit', () => {
    const joining = rounds('55', '11', '22')
    for (const pause of [100, 200, 400, 400]) {
      assert.equal(joining.next().id, '11')
      assert.equal(joining.pauseMs(), 0)
      assert.equal(joining.next().id, '22')
      const pauseMs = joining.pauseMs()
      assert.ok(pauseMs >= pause / 2 && pauseMs <= 1.5 * pause, `${pauseMs} ms`)
      assert.equal(joining.isFirst, false)
    }
  })

  it('include fellow joiners, each once, and not without bound', () => {
    const joining = rounds('55', '11')
    joining.meet(ref('11'))
    for (let i = 0; i < 40; i++) joining.meet(ref(`a${i}`))
    const tried = new Set(Array.from({ length: 100 }, () => joining.next().id))
    assert.equal(tried.size, 17)
  })

  it('let the one with the least id begin when nobody but fellows has answered three times', () => {
    for (const [self, founds] of [
      ['05', true],
      ['55', false],
    ] as const) {
      const joining = rounds(self, '11')
      for (let i = 0; i < 3; i++) {
        assert.equal(joining.mustFound, false)
        joining.refusedBy(joining.next())
        joining.pauseMs()
      }
      assert.equal(joining.mustFound, founds)
    }
  })

  it('let nobody begin while a member answers', () => {
    const joining = rounds('05', '11')
    for (let i = 0; i < 5; i++) {
      joining.refusedBy(joining.next())
      joining.noteMember()
      joining.pauseMs()
    }
    assert.equal(joining.mustFound, false)
  })
})
