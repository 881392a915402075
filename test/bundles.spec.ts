import assert from 'node:assert/strict'
import { createContext, runInContext } from 'node:vm'
import { bundle, saidSize, sizeOf } from '../scripts/bundles.ts'
import { forBrowsers, read } from './workspaces.ts'

/** A package may grow by so much before its README has to say so. */
const growth = 1.02

/** The least that a README must not miss when a package has become smaller. */
const shrinkage = 0.9

describe('in a browser bundle', function () {
  this.timeout(60_000)

  for (const { folder, manifest } of forBrowsers) {
    it(`${manifest.name} needs no module of Node and is as large as its README says`, async () => {
      const said = saidSize(read(`${folder}/README.md`))
      assert.ok(said !== undefined, 'the README says no size: npm run sizes -- --write')
      const { minified, gzipped } = await sizeOf(manifest.name)
      for (const [is, was] of [
        [minified, said.minified],
        [gzipped, said.gzipped],
      ] as const) {
        assert.ok(is <= was * growth, `${is} bytes, while the README says ${was}: make it smaller, or say so with npm run sizes -- --write`)
        assert.ok(is >= was * shrinkage, `${is} bytes, far fewer than the ${was} that the README says: npm run sizes -- --write`)
      }
    })
  }

  it('the cores run where there is nothing but the language', async () => {
    const script = await bundle(soloNetworks, 'solo')
    const nothing = createContext({})
    runInContext(script, nothing)
    const answers = runInContext('solo.answers', nothing) as Record<string, string>
    assert.deepEqual(
      { ...answers },
      Object.fromEntries(['pastry', 'tapestry', 'chord', 'can', 'kademlia'].map((name) => [name, 'ready, deliver, root of its own'])),
    )
    // The digest of no bytes at all, FIPS 180-4.
    assert.equal(runInContext('solo.digest', nothing), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })
})

/** A network of one node for each overlay, with PAST and DOLR on it. */
const soloNetworks = `
  import { can } from '@plaxton/can'
  import { chord } from '@plaxton/chord'
  import { DolrNode } from '@plaxton/dolr'
  import { guidOf } from '@plaxton/guid'
  import { kademlia } from '@plaxton/kademlia'
  import { Prng } from '@plaxton/kbr'
  import { PastNode } from '@plaxton/past'
  import { pastry } from '@plaxton/pastry'
  import { KbrNode } from '@plaxton/routing'
  import { tapestry } from '@plaxton/tapestry'

  const fx = { send() {}, startTimer() {}, emit() {}, ask() {} }
  export const digest = guidOf(new Uint8Array(0))
  export const answers = Object.fromEntries([pastry, tapestry, chord, can, kademlia].map((make) => {
    const overlay = make()
    const prng = Prng.fromSeed(1)
    const applications = [new PastNode({}, prng.fork()), new DolrNode({}, prng.fork())]
    const node = new KbrNode({ self: { id: digest, address: 'here', epoch: 1 }, overlay, applications, prng })
    node.start(0, fx)
    node.join([], 0, fx)
    const { action } = node.overlay.nextHop(digest, 0, new Set())
    const [root] = node.overlay.replicaSet(digest, 1)
    return [overlay.name, [node.ready ? 'ready' : 'not ready', action, root.id === digest ? 'root of its own' : 'no root'].join(', ')]
  }))
`
