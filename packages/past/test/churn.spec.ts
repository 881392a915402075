import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { World, bytesOf, failure, succeeded } from './world.ts'
import type { TestNode } from './world.ts'

/** What must be true, known to no node. */
interface Truth {
  readonly data: Uint8Array
  readonly owner: TestNode
  removed: boolean
}

describe('a network that nodes join, leave and crash in', () => {
  for (const [name, loss, seeds] of [
    ['', 0, 6],
    [' and loses one message in twenty', 0.05, 4],
  ] as const) {
    it(`keeps what was acknowledged, and nothing that was removed${name}`, function () {
      this.timeout(60_000)
      for (let seed = 1; seed <= seeds; seed++) {
        try {
          runChurn(seed, loss)
        } catch (error) {
          throw new Error(`seed ${seed}, loss ${loss}`, { cause: error })
        }
      }
    })
  }

  it('does the same again with the same seed', () => {
    const history = () => runChurn(3, 0.05).nodes.map((node) => node.events)
    assert.deepEqual(history(), history())
  })
})

function runChurn(seed: number, loss: number): World {
  const world = new World({ seed, nodes: 16, loss, reach: seed % 2 === 0 ? 5 : Infinity, config: { syncMs: 10_000 } })
  const truths = new Map<Guid, Truth>()
  const down: TestNode[] = []
  for (let phase = 0; phase < 8; phase++) {
    for (let i = 0; i < 8; i++) work(world, truths, `${seed}/${phase}/${i}`)
    disturb(world, down)
    for (let i = 0; i < 4; i++) work(world, truths, `${seed}/${phase}/late ${i}`)
    world.advance(15_000)
    world.check()
  }
  for (const node of down) if (!node.up) node.boot()
  world.advance(120_000)
  for (const [guid, truth] of truths) checkObject(world, guid, truth)
  for (const node of world.live) {
    world.check()
    assert.equal(node.past.stats().commands, 0)
    assert.ok(node.past.stats().inFlight < 64, 'little but maintenance is under way')
  }
  return world
}

/** One put, get or remove; what is not acknowledged may or may not have happened and is no longer asked about. */
function work(world: World, truths: Map<Guid, Truth>, text: string): void {
  const node = world.anyNode()
  const draw = world.prng.nextFloat()
  const known = world.prng.pick([...truths])
  if (known === undefined || draw < 0.4) {
    const data = world.prng.chance(0.2) ? new Uint8Array(20_000).fill(text.length) : bytesOf(text)
    data.set(bytesOf(text))
    const guid = guidOf(data)
    const { outcome } = world.run(node, (past, now, fx) => past.put({ guid, data }, now, fx))
    if (outcome.ok) truths.set(guid, { data, owner: node, removed: false })
    return
  }
  const [guid, truth] = known
  if (draw < 0.6 && truth.owner.up && !truth.owner.leaving && !truth.removed) {
    if (world.remove(truth.owner, guid).ok) truth.removed = true
    else truths.delete(guid)
  } else if (!truth.removed) assert.deepEqual(succeeded(world.get(node, guid)), truth.data)
  else assert.equal(failure(world.get(node, guid)), 'NotFoundError', `${guid.slice(0, 8)} was removed and is back`)
}

/** At most two of five replicas fail at once, the rest of a majority remains. */
function disturb(world: World, down: TestNode[]): void {
  switch (world.prng.nextInt(4)) {
    case 0:
      for (let i = 0; i < 2 && world.live.length > 8; i++) {
        const victim = world.anyNode()
        victim.crash(world.prng.chance(0.7))
        down.push(victim)
      }
      return
    case 1: {
      const node = world.prng.pick(down)
      if (node !== undefined && !node.up) node.boot()
      return
    }
    case 2:
      world.add().boot()
      return
    default:
      if (world.live.length <= 8) return
      const leaver = world.anyNode()
      leaver.leave()
      down.push(leaver)
  }
}

function checkObject(world: World, guid: Guid, { data, removed }: Truth): void {
  const holders = new Set(world.holders(guid))
  const closest = world.closest(guid).slice(0, removed ? 0 : 5)
  const missing = closest.filter((node) => !holders.has(node)).map((node) => node.ref.address)
  const extra = [...holders].filter((node) => !closest.includes(node)).map((node) => node.ref.address)
  assert.deepEqual({ missing, extra }, { missing: [], extra: [] }, `${removed ? 'removed ' : ''}${guid.slice(0, 8)}`)
  for (const node of world.live.slice(0, 4)) {
    const outcome = world.get(node, guid)
    if (removed) assert.equal(failure(outcome), 'NotFoundError')
    else assert.deepEqual(succeeded(outcome), data)
  }
}
