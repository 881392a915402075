import assert from 'node:assert/strict'
import type { Guid } from '@plaxton/guid'
import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import { Measuring } from '../src/index.ts'
import type { MeasuringHost } from '../src/index.ts'

function ref(id: string): NodeRef {
  return { id: id as Guid, address: `test:${id}`, epoch: 1 }
}

const fx = { startTimer: () => {} } as unknown as OverlayEffects

/** Takes every node whose id is not `00`; whoever is nearer than 50 would take somebody’s place. */
class Host implements MeasuringHost {
  readonly config = { distanceProbes: 3, measurementsMax: 2, candidatesMax: 3, probeTimeoutMs: 1_000 }
  readonly pings: string[] = []
  readonly results: Array<readonly [string, Millis]> = []
  private seq = 0

  nextSeq(): number {
    return ++this.seq
  }

  credible(refs: readonly NodeRef[]): NodeRef[] {
    return refs.filter(({ id }) => id !== '00')
  }

  couldImprove(): boolean {
    return true
  }

  challenges(_ref: NodeRef, distance: Millis): boolean {
    return distance < 50
  }

  ping(to: NodeRef, seq: number): void {
    this.pings.push(`${to.id} ${seq}`)
  }

  measured(from: NodeRef, distance: Millis): void {
    this.results.push([from.id, distance])
  }
}

describe('measuring', () => {
  it('pings few at a time, the next when one has answered or not', () => {
    const host = new Host()
    const measuring = new Measuring(host)
    measuring.consider([ref('00'), ref('11'), ref('22'), ref('33')], 0, fx)
    assert.deepEqual(host.pings, ['11 1', '22 2'])
    assert.equal(measuring.answered(ref('11'), 1, 80, fx), true)
    assert.deepEqual(host.results, [['11', 80]])
    assert.deepEqual(host.pings, ['11 1', '22 2', '33 3'])
    measuring.expired(2, 1_000, fx)
    measuring.expired(3, 1_000, fx)
    assert.equal(measuring.idle, true)
  })

  it('asks three times who would take a place, and takes the median', () => {
    const host = new Host()
    const measuring = new Measuring(host)
    measuring.consider([ref('11')], 0, fx)
    assert.equal(measuring.answered(ref('11'), 1, 10, fx), false)
    assert.equal(measuring.answered(ref('11'), 1, 12, fx), false, 'an answer counts once')
    assert.equal(measuring.answered(ref('11'), 2, 50, fx), false)
    assert.equal(measuring.answered(ref('11'), 3, 70, fx), true)
    assert.deepEqual(host.results, [['11', 20]])
  })

  it('leaves candidates out when too many wait', () => {
    const host = new Host()
    const measuring = new Measuring(host)
    measuring.consider(['11', '22', '33', '44', '55', '66', '77'].map(ref), 0, fx)
    for (let seq = 1; seq <= 7; seq++) measuring.expired(seq, 1_000, fx)
    assert.equal(host.pings.length, 3)
    measuring.drop('11' as Guid, 0, fx)
    measuring.clear()
    assert.equal(measuring.idle, true)
  })
})
