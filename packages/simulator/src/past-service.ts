import type { Application, Prng } from '@plaxton/kbr'
import { PastNode } from '@plaxton/past'
import type { PastLedger } from './past-ledger.ts'
import type { ServiceUnderTest } from './service.ts'
import type { Simulation } from './simulation.ts'

/** PAST under trial, checked by the ledger. */
export class PastService implements ServiceUnderTest {
  readonly healMs = 0
  /** Copies beyond those wanted, after the checks. */
  extraCopies = 0
  private readonly replicas: number
  private readonly ledger: PastLedger

  constructor(replicas: number, ledger: PastLedger) {
    this.replicas = replicas
    this.ledger = ledger
  }

  application(prng: Prng): Application {
    return new PastNode({ replicas: this.replicas }, prng)
  }

  watch(simulation: Simulation): void {
    this.ledger.watch(simulation)
  }

  setImpaired(impaired: boolean): void {
    this.ledger.setImpaired(impaired)
  }

  check(prng: Prng): void {
    this.extraCopies = this.ledger.checkCopies()
    this.ledger.readBack(prng, readers)
    this.ledger.checkEnded()
  }
}

/** Nodes that read each object back. */
const readers = 2
