import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import { RoundTrip, RoundTrips } from '../src/round-trip.ts'
import { routingConfig } from '../src/config.ts'

/** RFC 6298 as it is written, in real numbers. */
class Textbook {
  private srtt: number | undefined
  private rttvar = 0

  measured(r: number): void {
    if (this.srtt === undefined) {
      this.srtt = r
      this.rttvar = r / 2
    } else {
      this.rttvar = (3 / 4) * this.rttvar + (1 / 4) * Math.abs(this.srtt - r)
      this.srtt = (7 / 8) * this.srtt + (1 / 8) * r
    }
  }

  get rto(): number {
    return (this.srtt ?? 0) + Math.max(1, 4 * this.rttvar)
  }
}

describe('the round-trip estimator', () => {
  it('waits the initial time until something was measured', () => {
    const estimator = new RoundTrip()
    assert.deepEqual([estimator.timeoutMs(1000, 100, 10_000), estimator.smoothedMs], [1000, undefined])
  })

  it('waits three times the first round trip: SRTT = R, RTTVAR = R / 2', () => {
    const estimator = new RoundTrip()
    estimator.measured(200)
    assert.deepEqual([estimator.timeoutMs(1000, 100, 10_000), estimator.smoothedMs], [600, 200])
  })

  it('follows RFC 6298 in real numbers to within a few milliseconds, in whole ones', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 100 }), (samples) => {
        const estimator = new RoundTrip()
        const textbook = new Textbook()
        for (const sample of samples) {
          estimator.measured(sample)
          textbook.measured(sample)
          const wait = estimator.timeoutMs(1000, 1, 1_000_000)
          assert.ok(Number.isInteger(wait))
          // Rounding down SRTT to whole milliseconds before the error is taken shifts RTTVAR by less than 1 each time; 4 RTTVAR by 8 in all.
          assert.ok(Math.abs(wait - textbook.rto) <= 12, `${wait} instead of ${textbook.rto}`)
        }
      }),
    )
  })

  it('never waits less than the least nor more than the most', () => {
    const estimator = new RoundTrip()
    estimator.measured(0)
    assert.equal(estimator.timeoutMs(1000, 100, 10_000), 100)
    estimator.measured(90_000)
    assert.equal(estimator.timeoutMs(1000, 100, 10_000), 10_000)
  })

  it('doubles the wait with each timeout until the next measurement', () => {
    const estimator = new RoundTrip()
    estimator.measured(50)
    const waits = [10, 20, 30, 40].map((now) => {
      estimator.timedOut(now, now)
      return estimator.timeoutMs(1000, 100, 1000)
    })
    assert.deepEqual(waits, [300, 600, 1000, 1000])
    estimator.measured(50)
    assert.equal(estimator.timeoutMs(1000, 100, 1000), 50 + 75)
  })
})

describe('an answer that measures nothing', () => {
  it('ends the doubling all the same', () => {
    const estimator = new RoundTrip()
    estimator.measured(50)
    estimator.timedOut(10, 20)
    estimator.answered()
    assert.deepEqual([estimator.timeoutMs(1000, 100, 10_000), estimator.smoothedMs], [150, 50])
  })
})

describe('many timeouts at once', () => {
  it('double the wait once, since all but the first were sent before that was known', () => {
    const estimator = new RoundTrip()
    for (const sentAt of [0, 1, 2, 3]) estimator.timedOut(sentAt, 1000 + sentAt)
    assert.equal(estimator.timeoutMs(1000, 100, 10_000), 2000)
    estimator.timedOut(1500, 3500)
    assert.equal(estimator.timeoutMs(1000, 100, 10_000), 4000)
  })
})

describe('the round trips of a node', () => {
  const [a, b, c] = ['aa', 'bb', 'cc'] as Guid[] as [Guid, Guid, Guid]

  it('are kept for each peer', () => {
    const trips = new RoundTrips(routingConfig())
    trips.measured(a, 100)
    trips.timedOut(b, 0, 1000)
    assert.deepEqual(
      [a, b, c].map((peer) => trips.timeoutMs(peer)),
      [300, 2000, 1000],
    )
    assert.deepEqual(
      [a, b, c].map((peer) => trips.smoothedMs(peer)),
      [100, undefined, undefined],
    )
    trips.forget(a)
    assert.equal(trips.timeoutMs(a), 1000)
  })

  it('are kept for so many peers: the one measured first goes', () => {
    const trips = new RoundTrips(routingConfig({ roundTripsMax: 2 }))
    for (const peer of [a, b, a, c]) trips.measured(peer, 10)
    assert.deepEqual(
      [a, b, c].map((peer) => trips.smoothedMs(peer)),
      [undefined, 10, 10],
    )
    assert.equal(trips.size, 2)
  })
})
