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
