import { PastNode } from '@plaxton/past'
import { pastry } from '@plaxton/pastry'
import { PastClient } from '@plaxton/runtime'
import { tapestry } from '@plaxton/tapestry'
import { dhtConformance, onMemoryNetwork, register } from '../src/index.ts'
import { simulated } from './support/simulated.ts'

for (const create of [pastry, tapestry]) {
  const overlay = () => create()
  dhtConformance(`PAST over ${overlay().name} on the memory network`, {
    has: { names: true, strangers: true, cuts: false },
    open: onMemoryNetwork({
      overlay,
      service: (prng) => {
        const application = new PastNode({}, prng)
        return { application, client: (host) => new PastClient(host, application) }
      },
    }),
  })

  // A slice for every day; `npm run conform` runs many.
  register(simulated.past({ overlay, seed: 1 }))
}
