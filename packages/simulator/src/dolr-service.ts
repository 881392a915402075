import { DolrNode, dolrDefaults } from '@plaxton/dolr'
import type { DolrConfig } from '@plaxton/dolr'
import type { Application, Millis, Prng } from '@plaxton/kbr'
import type { DolrLedger } from './dolr-ledger.ts'
import type { ServiceUnderTest } from './service.ts'
import type { Simulation } from './simulation.ts'

/** How DOLR is configured in one trial: who chooses among the hosts, and the paper's k, l and m. */
export type DolrSettings = Pick<DolrConfig, 'roots' | 'choose' | 'republishMs' | 'nearBackups' | 'nearNeighbors' | 'nearHops'>

/** DOLR under trial, checked by the ledger. */
export class DolrService implements ServiceUnderTest {
  private readonly settings: DolrSettings
  private readonly ledger: DolrLedger
  private readonly simulation: () => Simulation

  constructor(settings: DolrSettings, ledger: DolrLedger, simulation: () => Simulation) {
    this.settings = settings
    this.ledger = ledger
    this.simulation = simulation
  }

  /** A republication, which may come a tenth late. */
  get healMs(): Millis {
    return Math.ceil(1.1 * this.settings.republishMs)
  }

  application(prng: Prng): Application {
    const { roots, choose, republishMs, nearBackups, nearNeighbors, nearHops } = this.settings
    return new DolrNode({ roots, choose, republishMs, ttlMs: this.ttlMs, nearBackups, nearNeighbors, nearHops }, prng)
  }

  watch(simulation: Simulation): void {
    this.ledger.watch(simulation)
  }

  setImpaired(impaired: boolean): void {
    this.ledger.setImpaired(impaired)
  }

  check(prng: Prng): void {
    this.ledger.findHosted()
    // Now those to hosts that died without a word have expired too.
    this.simulation().run(this.ttlMs)
    this.ledger.checkPointers()
    this.ledger.findEverything(prng)
    this.ledger.checkEnded()
  }

  /** Three republications may get lost, as by default. */
  private get ttlMs(): Millis {
    return Math.round((this.settings.republishMs * dolrDefaults.ttlMs) / dolrDefaults.republishMs)
  }
}
