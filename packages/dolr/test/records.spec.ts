import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { guidOf } from '@plaxton/guid'
import { rootKey } from '../src/index.ts'

describe('the root keys of an object', () => {
  const guid = guidOf(new TextEncoder().encode('object'))

  it('are its guid, and for each further salt the SHA-256 of the guid, the word salt and its number', () => {
    assert.equal(rootKey(guid, 0), guid)
    const salted = createHash('sha256')
      .update(Buffer.from(guid, 'hex'))
      .update('salt')
      .update(Buffer.from([3]))
      .digest('hex')
    assert.equal(rootKey(guid, 3), salted)
  })
})
