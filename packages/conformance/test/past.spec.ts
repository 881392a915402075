import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { PastClient } from '@plaxton/runtime'
import { tapestry } from '@plaxton/tapestry'
import { dhtConformance, onMemoryNetwork } from '../src/index.ts'

for (const overlay of [pastry, tapestry]) {
  dhtConformance(`PAST over ${overlay().name} on the memory network`, {
    has: { names: true, strangers: true },
    open: onMemoryNetwork({
      overlay: () => overlay(),
      service: (prng) => {
        const application = new PastNode({}, prng)
        return { application, client: (host) => new PastClient(host, application) }
      },
    }),
  })
}
