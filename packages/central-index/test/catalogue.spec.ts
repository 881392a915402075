import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Guid } from '@plaxton/guid'
import { toProto } from '@plaxton/wire'
import { Catalogue } from '../src/catalogue.ts'
import { serverConfig } from '../src/config.ts'
import { schemas } from '../src/messages.ts'
import type { Distance, Listing, Update } from '../src/messages.ts'
import { wordsOf } from '../src/index.ts'
import { idOf } from './network.ts'

const words = ['blue', 'red', 'moon', 'train']
const anyName = fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((parts) => parts.join(' '))
const anyStep = fc.record({
  client: fc.nat({ max: 4 }),
  reset: fc.boolean(),
  listed: fc.array(fc.record({ guid: fc.nat({ max: 6 }), name: anyName }), { maxLength: 4 }),
  withdrawn: fc.array(fc.nat({ max: 6 }), { maxLength: 3 }),
  gone: fc.integer({ min: 0, max: 9 }).map((i) => i === 0),
})

function listing(guid: Guid, name: string): Listing {
  return { guid, name, size: 1, answers: false }
}

function update(client: string, from: number, to: number, change: Partial<Update> = {}): Update {
  const node = { id: idOf(client), address: client, epoch: 1 }
  return { node, home: idOf('home'), from, to, reset: false, gone: false, listed: [], withdrawn: [], distances: [], ...change }
}

function withWords(models: ReadonlyArray<ReadonlyMap<Guid, string>>, all: readonly string[]): Guid[] {
  const guids = models.flatMap((model) =>
    [...model].flatMap(([guid, name]) => (all.every((word) => name.split(' ').includes(word)) ? [guid] : [])),
  )
  return [...new Set(guids)].sort()
}

describe('the index', () => {
  it('finds by words and by guid what lists say that were told in steps, whatever the steps', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        const catalogue = new Catalogue(serverConfig({}))
        const models = Array.from({ length: 5 }, () => new Map<Guid, string>())
        const versions = [0, 0, 0, 0, 0]
        for (const step of steps) {
          const model = models[step.client]!
          const from = versions[step.client]!
          versions[step.client]!++
          const reset = step.reset || from === 0
          const listed = step.listed.map(({ guid, name }) => listing(idOf(`object ${guid}`), name))
          const withdrawn = step.withdrawn
            .map((guid) => idOf(`object ${guid}`))
            .filter((guid) => !listed.some((each) => each.guid === guid))
          const name = `client ${step.client}`
          if (step.gone && from > 0) {
            assert.equal(catalogue.apply(update(name, from, from, { gone: true }), 0), 'applied')
            model.clear()
            versions[step.client] = 0
          } else {
            assert.equal(catalogue.apply(update(name, from, from + 1, { reset, listed, withdrawn }), 0), 'applied')
            if (reset) model.clear()
            for (const guid of withdrawn) model.delete(guid)
            for (const each of listed) model.set(each.guid, each.name)
          }
          catalogue.assertInvariants()
        }
        for (const query of [['blue'], ['blue', 'moon'], ['red', 'train', 'moon'], ['green']]) {
          assert.deepEqual(
            catalogue
              .search(query, 100)
              .map(({ guid }) => guid)
              .sort(),
            withWords(models, query),
          )
        }
        for (let i = 0; i <= 6; i++) {
          const guid = idOf(`object ${i}`)
          const hosts = models.flatMap((model, client) => (model.has(guid) ? [idOf(`client ${client}`)] : []))
          assert.deepEqual(
            catalogue
              .hostsOf(guid, 16, guid)
              .map(({ node }) => node.id)
              .sort(),
            hosts.sort(),
          )
        }
      }),
    )
  })

  it('takes a step once, in its order, and says what it lacks', () => {
    const catalogue = new Catalogue(serverConfig({}))
    const one = listing(idOf('one'), 'one')
    assert.equal(catalogue.apply(update('ann', 1, 2, { listed: [one] }), 0), 'gap')
    assert.equal(catalogue.apply(update('ann', 4, 5, { reset: true, listed: [one] }), 0), 'applied')
    assert.equal(catalogue.apply(update('ann', 4, 5, { reset: true }), 0), 'stale')
    assert.equal(catalogue.apply(update('ann', 6, 7, { withdrawn: [one.guid] }), 0), 'gap')
    assert.equal(catalogue.apply(update('ann', 4, 4, { gone: true }), 0), 'stale')
    assert.equal(catalogue.search(['one'], 10).length, 1)
    assert.equal(catalogue.apply(update('ann', 5, 6, { withdrawn: [one.guid] }), 0), 'applied')
    assert.equal(catalogue.search(['one'], 10).length, 0)
  })

  it('takes nothing that goes beyond its bounds, and keeps what it has', () => {
    const catalogue = new Catalogue(serverConfig({ clientsMax: 2, listingsMax: 3, listingsPerClient: 2 }))
    const [one, two, three] = ['one', 'two', 'three'].map((name) => listing(idOf(name), name)) as [Listing, Listing, Listing]
    assert.equal(catalogue.apply(update('ann', 0, 1, { reset: true, listed: [one, two, three] }), 0), 'full')
    assert.equal(catalogue.apply(update('ann', 0, 1, { reset: true, listed: [one, two] }), 0), 'applied')
    assert.equal(catalogue.apply(update('ann', 1, 2, { listed: [three], withdrawn: [two.guid] }), 0), 'applied')
    assert.equal(catalogue.apply(update('ben', 0, 1, { reset: true, listed: [one, two] }), 0), 'full')
    assert.equal(catalogue.apply(update('ben', 0, 1, { reset: true, listed: [one] }), 0), 'applied')
    assert.equal(catalogue.apply(update('cleo', 0, 1, { reset: true }), 0), 'full')
    assert.equal(catalogue.listings, 3)
    catalogue.assertInvariants()
  })

  it('counts what is withdrawn several times, or withdrawn and listed at once, for what it is', () => {
    const song = (i: number): Listing => listing(idOf(`song ${i}`), `song ${i}`)
    const songs = (from: number, to: number): Listing[] => Array.from({ length: to - from }, (_, i) => song(from + i))
    for (const withdrawn of [
      [song(0), song(0), song(0)],
      [song(0), song(1), song(2)],
    ]) {
      const catalogue = new Catalogue(serverConfig({ listingsPerClient: 3 }))
      assert.equal(catalogue.apply(update('ann', 0, 1, { reset: true, listed: songs(0, 3) }), 0), 'applied')
      const change = { withdrawn: withdrawn.map(({ guid }) => guid), listed: songs(0, 6) }
      assert.equal(catalogue.apply(update('ann', 1, 2, change), 0), 'full')
      assert.equal(catalogue.listings, 3)
      assert.equal(catalogue.apply(update('ann', 1, 2, { ...change, listed: songs(0, 3) }), 0), 'applied')
      catalogue.assertInvariants()
    }
  })

  it('names those first, of many hosts, whose round trips to the servers are like the asker’s', () => {
    const catalogue = new Catalogue(serverConfig({}))
    const song = listing(idOf('song'), 'song')
    const at = (a: number, b: number): Distance[] => [
      { server: idOf('A'), ms: a },
      { server: idOf('B'), ms: b },
    ]
    for (const [name, distances] of [
      ['far', at(300, 20)],
      ['near', at(24, 101)],
      ['nearer', at(21, 100)],
      ['nowhere', []],
    ] as const)
      catalogue.apply(update(name, 0, 1, { reset: true, listed: [song], distances }), 0)
    catalogue.apply(update('asker', 0, 1, { reset: true, distances: at(20, 100) }), 0)
    assert.deepEqual(
      catalogue.hostsOf(song.guid, 3, idOf('asker')).map(({ node }) => node.address),
      ['nearer', 'near', 'far'],
    )
  })

  it('finds files in the order of their hosts, at most as many as wanted, and looks at no more than it may', () => {
    const catalogue = new Catalogue(serverConfig({ scanMax: 10 }))
    const songs = Array.from({ length: 20 }, (_, i) => listing(idOf(`song ${i}`), `song ${i}`))
    catalogue.apply(update('ann', 0, 1, { reset: true, listed: songs }), 0)
    catalogue.apply(update('ben', 0, 1, { reset: true, listed: songs.slice(3, 4) }), 0)
    const found = catalogue.search(['song'], 5)
    assert.deepEqual([found[0]!.name, found[0]!.hosts, found.length], ['song 3', 2, 5])
    assert.equal(catalogue.search(['song'], 100).length, 10)
  })
})

describe('the words of a name', () => {
  it('are its letters and digits in lower case, each once', () => {
    assert.deepEqual(wordsOf('Miles Davis - So_What (1959).mp3'), ['miles', 'davis', 'so', 'what', '1959', 'mp3'])
    assert.deepEqual(wordsOf('la la LA'), ['la'])
    assert.deepEqual(wordsOf('Bjo\u0308rk – Jo\u0301ga'), ['bj\u00f6rk', 'j\u00f3ga'])
    assert.deepEqual(wordsOf('椎名林檎 丸の内'), ['椎名林檎', '丸の内'])
    assert.deepEqual(wordsOf('*** --- '), [])
  })

  it('are at most 16, and at most 64 bytes long', () => {
    assert.equal(wordsOf(Array.from({ length: 30 }, (_, i) => `w${i}`).join(' ')).length, 16)
    assert.deepEqual(wordsOf(`${'x'.repeat(65)} y ${'é'.repeat(32)}`), ['y', 'é'.repeat(32)])
  })
})

describe('central-index.proto', () => {
  it('is what the schemas say', () => {
    const proto = `// What clients, servers and peers of a central index ask each other. Generated: UPDATE=1 mocha test/catalogue.spec.ts\n${toProto([...schemas], 'plaxton.centralindex')}`
    const file = new URL('../src/central-index.proto', import.meta.url)
    if (process.env['UPDATE'] === '1') writeFileSync(file, proto)
    assert.equal(readFileSync(file, 'utf8'), proto)
  })
})
