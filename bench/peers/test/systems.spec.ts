import assert from 'node:assert/strict'
import { Prng } from '@plaxton/kbr'
import { systems } from '../src/systems.ts'
import type { Key, Network } from '../src/system.ts'

/** Small enough to be quick, large enough that a value is not on every node. */
const size = 7

// The overlays are the same over memory as over TCP; what is tried here is each way of starting and calling a system.
const ours = new Set(['pastry', 'can-memory'])
const tried = new Set([...ours, 'kad-dht', 'hyperdht', 'bittorrent-dht'])

describe('a system that is measured', function () {
  this.timeout(60_000)

  for (const system of systems.filter(({ name }) => tried.has(name))) {
    describe(system.name, () => {
      const value = new TextEncoder().encode('what was put')
      const topic = Uint8Array.from({ length: 32 }, (_, i) => i)
      const alive = new Set<number>(Array.from({ length: size }, (_, at) => at))
      let network: Network
      let key: Key

      before(async () => {
        network = await system.start(size, Prng.fromSeed(1))
      })

      after(async () => {
        for (const at of alive) await network.kill(at)
      })

      it('gives back at every node what was put at one', async () => {
        key = await settled(async () => {
          const put = await network.put(0, value)
          for (const at of alive) assert.deepEqual(await read(at, put), value)
          return put
        })
      })

      it('finds no value that nobody has put', async () => {
        const other = await system.start(1, Prng.fromSeed(2))
        try {
          assert.equal(await other.get(0, key).catch(() => undefined), undefined)
        } finally {
          await other.kill(0)
        }
      })

      it('finds a provider, and none where there is none', async () => {
        await network.provide(1, topic)
        assert.equal(await network.find(5, topic), true)
        assert.equal(
          await network.find(
            5,
            topic.map((byte) => 255 - byte),
          ),
          false,
        )
      })

      it('takes in one node more, which reads', async () => {
        const added = await network.add()
        alive.add(added)
        assert.equal(added, size)
        await settled(async () => assert.deepEqual(await read(added, key), value))
      })

      it('ends a node without harm to this process; and ours are read on', async () => {
        await network.kill(3)
        alive.delete(3)
        // What a rival makes of it is a figure, and not ours to demand: kad-dht may reject every get for a while. Each must come to an end.
        if (ours.has(system.name)) await settled(async () => assert.deepEqual(await read(4, key), value))
        else await network.get(4, key).catch(() => undefined)
      })

      /** As bytes of the one kind, whatever kind a system answers with. */
      async function read(at: number, wanted: Key): Promise<Uint8Array> {
        return Uint8Array.from((await network.get(at, wanted)) ?? [])
      }
    })
  }
})

/** Tries again for 20 s: some systems call themselves ready before they are. */
async function settled<T>(attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + 20_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
