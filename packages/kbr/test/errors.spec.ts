import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import {
  AlreadyExistsError,
  DeadlineError,
  InvalidValueError,
  NotFoundError,
  NotOwnerError,
  NotReadyError,
  PlaxtonError,
  QuorumError,
  RouteError,
  assert as invariant,
  unreachable,
} from '../src/index.ts'

describe('errors', () => {
  it('each have a name and a code of their own, and share one class', () => {
    const errors = [
      new InvalidValueError('replicas', 0, '1 to 9'),
      new NotFoundError('gone'),
      new AlreadyExistsError('there'),
      new NotOwnerError('not yours'),
      new QuorumError(1, 3, 'two nodes did not answer'),
      new RouteError({ reason: 'timed out', detail: 'no ack from 85', at: undefined }),
      new DeadlineError('waited for the root'),
      new NotReadyError('joining'),
    ]
    assert.equal(new Set(errors.map((error) => error.code)).size, errors.length)
    for (const error of errors) {
      assert.ok(error instanceof PlaxtonError && error instanceof Error)
      assert.equal(error.name, error.constructor.name)
      assert.match(error.code, /^ERR_[A-Z_]+$/)
    }
  })

  it('name the field, the value and what is allowed', () => {
    const error = new InvalidValueError('digitBits', 9, 'a whole number from 1 to 8')
    assert.equal(error.message, 'digitBits is 9, allowed is a whole number from 1 to 8')
    assert.deepEqual([error.field, error.value, error.allowed], ['digitBits', 9, 'a whole number from 1 to 8'])
  })

  it('describe long and odd values shortly', () => {
    assert.ok(new InvalidValueError('name', 'x'.repeat(10_000), 'short').message.length < 150)
    assert.equal(new InvalidValueError('data', new Uint8Array(3), 'text').message, 'data is 3 bytes, allowed is text')
    assert.equal(new InvalidValueError('data', {}, 'text').message, 'data is [object Object], allowed is text')
    assert.equal(new InvalidValueError('servers', [], 'one or more').message, 'servers is an empty list, allowed is one or more')
    assert.equal(new InvalidValueError('overlay', () => {}, 'pastry()').message, 'overlay is a function, allowed is pastry()')
  })

  it('carry the step at which a route failed', () => {
    const error = new RouteError({ reason: 'hop limit', detail: '32 hops without reaching the root', at: undefined })
    assert.equal(error.message, 'hop limit: 32 hops without reaching the root')
    assert.equal(error.failure.reason, 'hop limit')
  })

  it('stop a broken invariant where it stands', () => {
    assert.throws(() => invariant(false, 'leaf set sorted'), { code: 'ERR_INVARIANT', message: 'leaf set sorted' })
    assert.doesNotThrow(() => invariant(true, 'never'))
    assert.throws(() => unreachable('left' as never), { code: 'ERR_INVARIANT' })
  })
})
