import assert from 'node:assert/strict'
import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import fc from 'fast-check'
import type { Entry } from '../src/claim.ts'
import { Versions, nearestFirst, wholeOf } from '../src/differences.ts'
import { digestOf } from '../src/digest.ts'
import type { Report, Surroundings } from '../src/messages.ts'
import { claim, zone } from './helpers.ts'
import { TestNetwork } from './network.ts'

const prng = Prng.fromSeed('differences')
const ids = Array.from({ length: 12 }, () => randomGuid(prng, 64))
const own = '0110'

function surroundings(others: readonly Entry[]): Surroundings {
  const said = { claims: [claim(own, 2)], groups: [zone('01')], shared: [], others: nearestFirst(zone(own), 64, others) }
  return { ...said, digest: digestOf(said) }
}

function reportOf(now: Surroundings, confirmed: number, versions: Versions): Report {
  return { type: 'report', ...now, ...versions.since(confirmed, now), member: true, token: 0, echo: 0 }
}

/** Contacts of a node, each with a zone. */
const contacts = fc
  .uniqueArray(fc.record({ at: fc.nat(11), bits: fc.constantFrom('0', '10', '110', '111'), version: fc.nat(3), epoch: fc.nat(1) }), {
    selector: ({ at }) => at,
  })
  .map((drawn) =>
    drawn.map(({ at, bits, version, epoch }): Entry => ({
      node: { id: ids[at]!, address: `a${at}`, epoch },
      claims: [claim(bits, version)],
    })),
  )

describe('a report of what has changed', () => {
  it('says the same as a whole one to who has what it is the difference to', () => {
    fc.assert(
      fc.property(contacts, contacts, (first, second) => {
        const [before, now] = [surroundings(first), surroundings(second)]
        const versions = new Versions()
        reportOf(before, 0, versions)
        const report = reportOf(now, before.digest, versions)
        assert.equal(report.base, before.digest)
        const { others, digest } = wholeOf(report, before)!
        assert.deepEqual({ others, digest }, { others: now.others, digest: now.digest })
      }),
    )
  })

  it('says nothing to anybody else, and is a whole one where nothing has been confirmed, or something too old', () => {
    const [a, b, c] = [0, 3, 6].map((from) =>
      surroundings(ids.slice(from, from + 6).map((id) => ({ node: { id, address: '', epoch: 1 }, claims: [claim('10', from)] }))),
    ) as [Surroundings, Surroundings, Surroundings]
    const versions = new Versions()
    assert.equal(reportOf(a, 0, versions).base, 0)
    const report = reportOf(b, a.digest, versions)
    assert.equal(wholeOf(report, undefined), undefined)
    assert.equal(wholeOf(report, c), undefined)
    assert.equal(wholeOf(report, { ...c, digest: a.digest }), undefined, 'the digest of a, but not what it stands for')
    for (let i = 0; i < 8; i++)
      reportOf(surroundings([{ node: { id: ids[0]!, address: '', epoch: 1 }, claims: [claim('1', i)] }]), 0, versions)
    assert.equal(reportOf(b, a.digest, versions).base, 0)
  })

  it('is what most contacts of a newcomer’s contacts get', () => {
    const network = new TestNetwork('newcomer')
    network.grow(24)
    network.run(60_000)
    const reports = { whole: 0, differences: 0, changed: 0 }
    network.onSent = (_from, _to, message) => {
      if (message.type !== 'report') return
      const { base, others } = message as Report
      if (base === 0) reports.whole++
      else {
        reports.differences++
        reports.changed += others.length
      }
    }
    network.grow(1)
    network.run(20_000)
    assert.ok(reports.differences > 2 * reports.whole, JSON.stringify(reports))
    assert.ok(reports.changed < 3 * reports.differences, 'the newcomer, who gave it a zone, and little else')
    assert.deepEqual(network.complaints(), [])
  })

  it('makes who cannot read it ask for a whole one', () => {
    const network = new TestNetwork('unknown base', { dimensions: 2 })
    const [one, other] = network.grow(4)
    network.run(20_000)
    const asked: string[] = []
    network.onSent = (from, to, message) => {
      if (message.type === 'report' && (message as Report).token !== 0) asked.push(`${from.id} of ${to.id}`)
    }
    const claims = [...other!.node.claims]
    one!.take(other!.ref, { type: 'report', ...surroundings([]), claims, member: true, token: 0, echo: 0, base: 77, gone: [] } as Report)
    assert.deepEqual(asked, [`${one!.ref.id} of ${other!.ref.id}`])
  })
})
