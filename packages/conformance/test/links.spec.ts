import { randomGuid } from '@plaxton/guid'
import { Prng } from '@plaxton/kbr'
import type { NodeRef } from '@plaxton/kbr'
import { MemoryNetwork } from '@plaxton/runtime'
import { linkConformance } from '../src/index.ts'
import type { LinkNetwork } from '../src/index.ts'

for (const latencyMs of [0, 5]) {
  linkConformance(`MemoryNetwork with a latency of ${latencyMs} ms`, {
    has: { frameBytesMax: 2_000_000, orderedBytesMax: 2_000_000, lastWords: true },
    open: async () => memoryLinks(latencyMs),
  })
}

linkConformance('MemoryNetwork, of virtual nodes on two hosts', {
  has: { frameBytesMax: 2_000_000, orderedBytesMax: 2_000_000, lastWords: true },
  open: async () => virtualMemoryLinks(),
})

function memoryLinks(latencyMs: number): LinkNetwork {
  const network = new MemoryNetwork({ latencyMs })
  const prng = Prng.fromSeed('links')
  let count = 0
  const linkOf = async (self: NodeRef) => network.link(self)
  return {
    link: () => linkOf({ id: randomGuid(prng), address: `memory:${count++}`, epoch: 1 }),
    again: ({ self }) => linkOf({ ...self, epoch: self.epoch + 1 }),
    close: async () => {},
  }
}

/** Links of virtual nodes, of one host and the other in turn. */
function virtualMemoryLinks(): LinkNetwork {
  const network = new MemoryNetwork({ latencyMs: 5 })
  const prng = Prng.fromSeed('virtual links')
  const hosts = [0, 1].map((host) => network.virtualLinks({ id: randomGuid(prng), address: `memory:${host}`, epoch: 1 }, 4))
  let count = 0
  return {
    link: async () => {
      const number = count++
      return hosts[number % 2]![number >> 1]!
    },
    again: async ({ self }) => network.link({ ...self, epoch: self.epoch + 1 }),
    close: async () => {},
  }
}
