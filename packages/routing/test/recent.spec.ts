import assert from 'node:assert/strict'
import { Recent } from '../src/recent.ts'

describe('what happened recently', () => {
  it('is forgotten when it is old enough, and says when to look again', () => {
    const recent = new Recent<string, { readonly at: number }>(10, 100)
    assert.equal(recent.sweep(0), Infinity)
    recent.add('a', { at: 0 })
    recent.add('b', { at: 60 })
    assert.equal(recent.sweep(99), 199)
    assert.deepEqual([recent.get('a'), recent.get('b')], [{ at: 0 }, { at: 60 }])
    assert.equal(recent.sweep(100), 200)
    assert.deepEqual([recent.get('a'), recent.get('b')], [undefined, { at: 60 }])
    assert.equal(recent.sweep(160), Infinity)
    assert.equal(recent.size, 0)
  })

  it('gives way to what is newer when there is no room, and says whether that was too early', () => {
    const recent = new Recent<string, { readonly at: number }>(1, 100)
    assert.deepEqual(
      [0, 99, 199].map((at) => recent.add(`at ${at}`, { at })),
      [false, true, false],
    )
    assert.deepEqual([recent.size, recent.get('at 199')], [1, { at: 199 }])
  })

  it('is looked at again from the next oldest on when some were taken out', () => {
    const recent = new Recent<string, { readonly at: number }>(10, 100)
    for (const at of [0, 10, 20]) recent.add(`at ${at}`, { at })
    recent.delete('at 0')
    recent.sweep(105)
    recent.delete('at 10')
    recent.sweep(119)
    assert.deepEqual(recent.get('at 20'), { at: 20 })
    recent.sweep(120)
    assert.equal(recent.size, 0)
  })

  it('is as young as what replaced it', () => {
    const recent = new Recent<string, { readonly at: number }>(10, 100)
    for (const [key, at] of [
      ['a', 0],
      ['b', 10],
      ['a', 50],
    ] as const)
      recent.add(key, { at })
    recent.sweep(110)
    assert.deepEqual([recent.get('a'), recent.get('b')], [{ at: 50 }, undefined])
  })
})
