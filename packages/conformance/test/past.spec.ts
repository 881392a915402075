import { PastNode } from '@plaxton/past'
import { PastClient } from '@plaxton/runtime'
import { dhtConformance, onMemoryNetwork, register } from '../src/index.ts'
import { overlays } from './support/overlays.ts'
import { simulated } from './support/simulated.ts'

for (const [name, { create: overlay }] of Object.entries(overlays)) {
  dhtConformance(`PAST over ${name} on the memory network`, {
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
