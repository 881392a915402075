import { IndexClient, IndexServer, star } from '@plaxton/central-index'
import type { ClientConfig } from '@plaxton/central-index'
import type { Prng } from '@plaxton/kbr'
import { CentralIndexClient } from '@plaxton/runtime'
import type { ClientHost } from '@plaxton/runtime'
import { dolrConformance, onMemoryNetwork, onSimulator } from '../src/index.ts'

const service = (prng: Prng, config: Partial<ClientConfig> = {}) => {
  const application = new IndexClient(config, prng)
  return { application, client: (host: ClientHost) => new CentralIndexClient(host, application) }
}

const overlay = () => star({ hub: false })

for (const count of [1, 3]) {
  const servers = { count, overlay: () => star({ hub: true }), application: () => new IndexServer() }
  const by = count === 1 ? 'one server' : `${count} servers`

  // Not cut: a side without a server finds nothing, and says so. The package's own tests do that.
  dolrConformance(`the central index with ${by} on the memory network`, {
    has: { strangers: true, cuts: false },
    application: 'central-index',
    open: onMemoryNetwork({ overlay, servers, service: (prng) => service(prng, { retryMs: 50 }) }),
  })

  // A lease and a while until what a node that crashed has offered is forgotten.
  for (const seed of [1, 2]) {
    dolrConformance(`the central index with ${by} in the simulator, seed ${seed}`, {
      has: { strangers: true, cuts: false },
      application: 'central-index',
      sizes: [24],
      healMs: 70_000,
      open: onSimulator({ overlay, servers, service, seed }),
    })
  }
}
