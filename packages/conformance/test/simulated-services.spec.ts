import assert from 'node:assert/strict'
import { guidOf } from '@plaxton/guid'
import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { PastClient } from '@plaxton/runtime'
import { dhtSuite, failuresOf, onSimulator, only } from '../src/index.ts'
import type { NamingDht, OpenNetwork } from '../src/index.ts'

/** `replicas`: as many copies as every object is stored in, whatever was asked for. */
function past(seed: number, replicas?: number): OpenNetwork<NamingDht> {
  return onSimulator<NamingDht>({
    overlay: () => pastry(),
    seed,
    service: (prng) => {
      const application = new PastNode({}, prng)
      const client = (host: ConstructorParameters<typeof PastClient>[0]): PastClient => {
        const dht = new PastClient(host, application)
        const put = dht.put.bind(dht)
        if (replicas !== undefined) dht.put = (guid, data, options) => put(guid, data, { ...options, replicas })
        return dht
      }
      return { application, client }
    },
  })
}

/** What some calls on four nodes end with, and when. */
async function history(seed: number): Promise<unknown> {
  const network = await past(seed)(4)
  const told: unknown[] = network.nodes.map(({ id }) => id)
  await network.drive!(async () => {
    const calls = network.nodes.map(async ({ service }, i) => {
      const data = new TextEncoder().encode(`object ${i}`)
      const { holders } = await service.put(guidOf(data), data)
      told.push(network.clock!.now(), ...holders.map(({ id }) => id))
    })
    await Promise.all(calls)
  })
  return told
}

describe('a service in the simulator', () => {
  it('has one history for one seed, and another for another', async () => {
    const once = await history(1)
    assert.deepEqual(await history(1), once)
    assert.notDeepEqual(await history(2), once)
  })

  it('is given time while somebody waits, and no more', async () => {
    const network = await past(1)(2)
    const before = network.clock!.now()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(network.clock!.now(), before)
    await network.drive!(() => new Promise<void>((resolve) => void network.clock!.after(1_234, resolve)))
    assert.equal(network.clock!.now(), before + 1_234)
  })

  it('fails with its seed when somebody waits for what does not happen', async () => {
    const network = await past(7)(1)
    await assert.rejects(
      network.drive!(() => new Promise(() => {})),
      /seed 7, at \d+ virtual ms: somebody waits(.|\n)*repeat with: .*seed: 7/,
    )
  })

  it('loses objects where they have one copy, and the suite finds that', async () => {
    const suite = dhtSuite('one copy', { has: { names: true, strangers: true, cuts: true }, sizes: [6], open: past(1, 1) })
    const [failure] = await failuresOf(only('two nodes crash', suite))
    assert.match(failure!.error.message, /seed 1, (.|\n)*(was acknowledged, and cannot be read|holders)(.|\n)*repeat with/)
  })
})
