import { DolrNode } from '@plaxton/dolr'
import { pastry } from '@plaxton/pastry'
import { DolrClient } from '@plaxton/runtime'
import { tapestry } from '@plaxton/tapestry'
import { dolrConformance, onMemoryNetwork } from '../src/index.ts'

for (const overlay of [pastry, tapestry]) {
  dolrConformance(`DOLR over ${overlay().name} on the memory network`, {
    has: { strangers: true },
    open: onMemoryNetwork({
      overlay: () => overlay(),
      service: (prng) => {
        // Pauses and periods as short as a network in memory allows.
        const application = new DolrNode({ retryMs: 10, republishMs: 2_000 }, prng)
        return { application, client: (host) => new DolrClient(host, application) }
      },
    }),
  })
}
