import assert from 'node:assert/strict'
import fc from 'fast-check'
import { guidOf, sha256 } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { encodedLength } from '@plaxton/wire'
import {
  anyLive,
  claimSchema,
  compareClaims,
  covers,
  expiryOf,
  isContradicted,
  leadingCertificate,
  maxClaimBytes,
  mergeClaims,
  namedGuid,
  ownerOf,
  stampOf,
  versionOf,
} from '../src/claims.ts'
import type { Claim } from '../src/claims.ts'

const guid = guidOf(new Uint8Array(1))

/** A claim on one object by one of a few owners, at one of a few times, so that all kinds of conflicts come up. */
const claims: fc.Arbitrary<Claim> = fc
  .record({
    owner: fc.integer({ min: 1, max: 4 }),
    created: fc.integer({ min: 0, max: 4 }),
    removedAfter: fc.option(fc.integer({ min: 0, max: 3 })),
    replicas: fc.integer({ min: 1, max: 5 }),
    expires: fc.constantFrom(0, 3, 6),
    variant: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ owner, created, removedAfter, replicas, expires, variant }) =>
    claim({ owner, created, removed: removedAfter === null ? undefined : created + removedAfter, replicas, expires, variant }),
  )

interface Sketch {
  readonly owner: number
  readonly created: number
  readonly removed?: number | undefined
  readonly replicas?: number
  readonly expires?: number
  readonly variant?: number
}

/** Signatures are what distinguishes claims, so each sketch has its own. */
function claim({ owner, created, removed, replicas = 5, expires = 0, variant = 0 }: Sketch): Claim {
  const seal = (text: string) => {
    const digest = sha256(new TextEncoder().encode(text))
    return new Uint8Array([...digest, ...digest])
  }
  return {
    certificate: {
      guid,
      kind: 'content',
      name: '',
      salt: new Uint8Array(0),
      ownerKey: new Uint8Array(32).fill(owner),
      contentDigest: guid,
      size: 1,
      replicas,
      created,
      expires,
    },
    signature: seal(`${owner} ${created} ${replicas} ${expires} ${variant}`),
    withdrawal: removed === undefined ? undefined : { removed, signature: seal(`removal ${owner} ${removed}`) },
  }
}

const sets = fc.array(claims, { maxLength: 6 }).map((list) => mergeClaims([], list, 32))

describe('merging claims', () => {
  it('does not depend on the order in which news comes, nor on how often', () => {
    fc.assert(
      fc.property(sets, sets, sets, (a, b, c) => {
        const merged = mergeClaims(mergeClaims(a, b, 32), c, 32)
        assert.deepEqual(mergeClaims(a, mergeClaims(c, b, 32), 32), merged)
        assert.deepEqual(mergeClaims(b, mergeClaims(a, c, 32), 32), merged)
        assert.deepEqual(mergeClaims(merged, a, 32), merged)
        assert.equal(versionOf(mergeClaims(b, mergeClaims(c, a, 32), 32)), versionOf(merged))
      }),
    )
  })

  it('keeps one claim of each owner: the latest', () => {
    fc.assert(
      fc.property(fc.array(claims, { maxLength: 12 }), (list) => {
        const merged = mergeClaims([], list, 32)
        const owners = new Set(list.map(ownerOf))
        assert.deepEqual(new Set(merged.map(ownerOf)), owners)
        assert.equal(merged.length, owners.size)
        for (const kept of merged) {
          const latest = Math.max(...list.filter((each) => ownerOf(each) === ownerOf(kept)).map(stampOf))
          assert.equal(stampOf(kept), latest)
        }
      }),
    )
  })

  it('lets a removal win over a certificate of the same millisecond', () => {
    const put = claim({ owner: 1, created: 7 })
    const removed = claim({ owner: 1, created: 7, removed: 7 })
    assert.deepEqual(mergeClaims([put], [removed], 32), [removed])
    assert.deepEqual(mergeClaims([removed], [put], 32), [removed])
  })

  it('lets a later certificate win over a removal, and a late copy of an earlier one not', () => {
    const first = claim({ owner: 1, created: 1 })
    const removed = claim({ owner: 1, created: 1, removed: 5 })
    const again = claim({ owner: 1, created: 6 })
    assert.equal(anyLive(mergeClaims([removed], [first], 32), 10), false)
    assert.deepEqual(mergeClaims([removed], [again], 32), [again])
  })

  it('keeps the owners it has when there are too many', () => {
    const known = [1, 2, 3].map((owner) => claim({ owner, created: 1 }))
    const news = [claim({ owner: 4, created: 1 }), claim({ owner: 2, created: 2 })]
    assert.deepEqual(
      mergeClaims(known, news, 3).map((each) => [each.certificate.ownerKey[0], stampOf(each)]),
      [
        [1, 1],
        [2, 2],
        [3, 1],
      ],
    )
  })
})

describe('a set of claims', () => {
  it('says that the object lives while one claim lives', () => {
    const set = [claim({ owner: 1, created: 1, removed: 2 }), claim({ owner: 2, created: 1, expires: 10 })]
    assert.equal(anyLive(set, 9), true)
    assert.equal(anyLive(set, 10), false)
    assert.equal(expiryOf(set, 9), 10)
    assert.equal(expiryOf([...set, claim({ owner: 3, created: 1 })], 9), 0)
  })

  it('wants as many replicas as the most demanding live claim', () => {
    const set = [
      claim({ owner: 1, created: 1, replicas: 9, removed: 2 }),
      claim({ owner: 2, created: 1, replicas: 3 }),
      claim({ owner: 3, created: 1, replicas: 4 }),
    ]
    assert.equal(leadingCertificate(set, 5)?.replicas, 4)
    assert.equal(leadingCertificate(set.slice(0, 1), 5)?.replicas, 9)
    assert.equal(leadingCertificate([], 5), undefined)
  })

  it('covers what its owner has said again, and contradicts what the owner has taken back', () => {
    const put = claim({ owner: 1, created: 1 })
    const again = claim({ owner: 1, created: 3 })
    const removed = claim({ owner: 1, created: 1, removed: 2 })
    assert.deepEqual([covers([put], put), covers([again], put), covers([put], again)], [true, true, false])
    assert.deepEqual([covers([removed], put), isContradicted([removed], put), isContradicted([again], put)], [false, true, false])
    assert.equal(isContradicted([put], removed), false)
    assert.ok(compareClaims(removed, put) > 0)
  })

  it('takes at most 1 KiB a claim, whatever its owner writes into it', () => {
    const { certificate, signature } = claim({ owner: 1, created: Number.MAX_SAFE_INTEGER, expires: Number.MAX_SAFE_INTEGER })
    const largest = {
      ...certificate,
      kind: 'named',
      name: 'x'.repeat(512),
      salt: new Uint8Array(32),
      size: Number.MAX_SAFE_INTEGER,
    } as const
    assert.ok(
      encodedLength(claimSchema, { certificate: largest, signature, withdrawal: { removed: Number.MAX_SAFE_INTEGER, signature } }) <=
        maxClaimBytes,
    )
  })
})

describe('the guid of a named object', () => {
  it('depends on name, owner and salt, and on where one ends and the other begins', () => {
    const key = new Uint8Array(32).fill(1)
    const other = new Uint8Array(32).fill(2)
    const guids: Guid[] = [
      namedGuid('a', key),
      namedGuid('b', key),
      namedGuid('a', other),
      namedGuid('a', key, new Uint8Array([0])),
      namedGuid('a', key, new Uint8Array([0, 0])),
    ]
    assert.equal(new Set(guids).size, guids.length)
    assert.equal(namedGuid('a', key, new Uint8Array(0)), guids[0])
  })
})
