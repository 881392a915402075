import { DolrNode } from '@plaxton/dolr'
import type { OverlayFactory } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import { DolrClient, PastClient } from '@plaxton/runtime'
import { dhtSuite, dolrSuite, onSimulator } from '../../src/index.ts'
import type { Suite } from '../../src/index.ts'

export interface SimulatedRun {
  readonly overlay: () => OverlayFactory
  readonly seed: number
  /** Of the larger network. Default 24: more than most overlays' nodes know all of. */
  readonly nodes?: number
  readonly repeat?: string
}

/** The services as they are by default, each over an overlay in the simulator, for one seed. */
export const simulated: Readonly<Record<'past' | 'dolr', (run: SimulatedRun) => Suite>> = {
  past: ({ nodes = 24, ...run }) =>
    dhtSuite(`PAST over ${run.overlay().name} in the simulator, seed ${run.seed}`, {
      has: { names: true, strangers: true, cuts: true },
      sizes: [nodes],
      open: onSimulator({
        ...run,
        service: (prng) => {
          const application = new PastNode({}, prng)
          return { application, client: (host) => new PastClient(host, application) }
        },
      }),
    }),

  dolr: ({ nodes = 24, ...run }) =>
    dolrSuite(`DOLR over ${run.overlay().name} in the simulator, seed ${run.seed}`, {
      has: { strangers: true, cuts: true },
      sizes: [nodes],
      // As long as a pointer lives, and a while.
      healMs: 220_000,
      open: onSimulator({
        ...run,
        service: (prng) => {
          const application = new DolrNode({}, prng)
          return { application, client: (host) => new DolrClient(host, application) }
        },
      }),
    }),
}
