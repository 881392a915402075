import { DolrNode } from '@plaxton/dolr'
import { DolrClient } from '@plaxton/runtime'
import { dolrConformance, onMemoryNetwork, register } from '../src/index.ts'
import { overlays } from './support/overlays.ts'
import { simulated } from './support/simulated.ts'

for (const [name, { create: overlay }] of Object.entries(overlays)) {
  dolrConformance(`DOLR over ${name} on the memory network`, {
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
  register(simulated.dolr({ overlay, seed: 1 }))
}
