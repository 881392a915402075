import assert from 'node:assert/strict'
import type { NodeRef } from '@plaxton/kbr'
import { Recorder, ref } from '@plaxton/testbed'
import { History, Joining } from '../src/index.ts'
import type { JoinUnderWay } from '../src/index.ts'

/** A node and what it was made to do. */
class Bench {
  readonly state = { self: ref('aa'), standing: 'outside', history: new History(4), config: { joinMs: 1_000 } }
  readonly fx = new Recorder()
  readonly log: string[] = []
  outcome: 'joining' | 'failed' | 'founder' = 'joining'
  wasMember = false
  readonly joins: Joining<JoinUnderWay> = new Joining<JoinUnderWay>(this.state, {
    begin: (contacts, now) => {
      this.log.push(`through ${contacts.map(({ id }) => id).join(' ')}`)
      return { startedAt: now, onTimer: () => this.outcome }
    },
    found: (since, now) => {
      this.log.push(`found, ${now - since} ms`)
      this.state.standing = 'member'
      this.joins.end()
    },
    seek: (contact) => this.log.push(`seek through ${contact.id}`),
    wasMember: () => this.wasMember,
  })

  command(bootstrap: readonly NodeRef[]): void {
    this.joins.command(bootstrap, 0, this.fx)
  }

  /** The timer comes due with this outcome. */
  comesTo(outcome: typeof this.outcome, now: number): void {
    this.outcome = outcome
    this.joins.onTimer(1, now, this.fx)
  }
}

describe('joining', () => {
  it('begins a network at once without others, or where only the node itself is named', () => {
    for (const bootstrap of [[], [ref('aa')]]) {
      const bench = new Bench()
      bench.command(bootstrap)
      assert.deepEqual(bench.log, ['found, 0 ms'])
    }
  })

  it('sets out through the others, once', () => {
    const bench = new Bench()
    bench.command([ref('aa'), ref('bb'), ref('cc')])
    bench.command([ref('dd')])
    assert.deepEqual(bench.log, ['through bb cc'])
  })

  it('has a member look for its place through those it is told of, and one that has left do nothing', () => {
    const bench = new Bench()
    bench.state.standing = 'member'
    bench.command([ref('aa'), ref('bb')])
    bench.state.standing = 'gone'
    bench.command([ref('cc')])
    assert.deepEqual(bench.log, ['seek through bb'])
  })

  it('goes on, or ends in a network of its own that counts from the beginning', () => {
    const bench = new Bench()
    bench.command([ref('bb')])
    bench.comesTo('joining', 100)
    bench.comesTo('founder', 300)
    bench.comesTo('failed', 400)
    assert.deepEqual(bench.log, ['through bb', 'found, 300 ms'])
    assert.deepEqual(bench.fx.take(), [])
  })

  it('that fails is told of with a reason, and may be tried again; a former member tries by itself and says nothing', () => {
    for (const wasMember of [false, true]) {
      const bench = new Bench()
      bench.wasMember = wasMember
      bench.command([ref('bb'), ref('cc')])
      bench.comesTo('failed', 1_000)
      const reason = 'None of 2 bootstrap nodes could be joined through within 1000 ms.'
      assert.deepEqual(bench.fx.take(), wasMember ? [] : [{ type: 'event', event: { type: 'join-failed', reason } }])
      bench.command([ref('dd')])
      assert.deepEqual(bench.log.slice(1), ['through dd'])
    }
  })

  it('starts over through the bootstrap nodes and past contacts', () => {
    const bench = new Bench()
    bench.command([ref('bb')])
    bench.joins.end()
    bench.state.history.note(ref('ee'), undefined as never)
    assert.deepEqual(
      bench.joins.contacts().map(({ id }) => id as string),
      ['bb', 'ee'],
    )
    bench.joins.begin(bench.joins.contacts(), 5, bench.fx)
    assert.deepEqual(bench.log.slice(1), ['through bb ee'])
  })
})
