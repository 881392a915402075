import { DolrNode } from '@plaxton/dolr'
import { pastry } from '@plaxton/pastry'
import { DolrClient } from '@plaxton/runtime'
import { tapestry } from '@plaxton/tapestry'
import { dolrConformance, onMemoryNetwork, register } from '../src/index.ts'
import { simulated } from './support/simulated.ts'

for (const create of [pastry, tapestry]) {
  const overlay = () => create()
  dolrConformance(`DOLR over ${overlay().name} on the memory network`, {
    has: { strangers: true, cuts: false },
    open: onMemoryNetwork({
      overlay,
      service: (prng) => {
        // Periods as short as a network in memory allows; and pauses long enough for ways to heal, which takes settleMs.
        const application = new DolrNode({ settleMs: 20, retryMs: 50, republishMs: 2_000 }, prng)
        return { application, client: (host) => new DolrClient(host, application) }
      },
    }),
  })

  // A slice for every day; `npm run conform` runs many.
  for (const seed of [1, 2]) register(simulated.dolr({ overlay, seed }))
}
