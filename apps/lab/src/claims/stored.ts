import { PastNode } from '@plaxton/past'
import { PastLedger, Violations } from '@plaxton/simulator'
import type { Prng } from '@plaxton/kbr'
import type { LedgerObject, SimNode, World } from '@plaxton/simulator'
import { networkOf } from './exhibit.ts'
import type { Ground } from './exhibit.ts'

/** PAST's k. */
export const replicas = 5

/** A network that stores objects, and the truth about them. */
export class StoreNetwork {
  readonly world: World
  readonly ledger: PastLedger
  /** What the ledger found wrong: bytes other than those put, above all. */
  readonly violations = new Violations()
  /** Objects for each experiment. */
  readonly samples: number
  private readonly prng: Prng

  constructor(ground: Ground) {
    this.samples = ground.samples
    this.ledger = new PastLedger(() => this.world.simulation, this.violations)
    this.world = networkOf(ground, ground.nodes, {
      applications: (_host, prng) => [new PastNode({ replicas }, prng)],
      onDisk: this.ledger.onDisk,
    })
    this.ledger.watch(this.world.simulation)
    this.prng = this.world.simulation.simulator.stream('objects')
  }

  /** Puts a new object of some hundred random bytes from any member, and waits until that is done. */
  put(): LedgerObject {
    const object = this.ledger.put(this.anyMember(), this.randomBytes(objectBytes), { named: false, replicas })!
    this.world.simulation.run(commandMs)
    return object
  }

  putMany(): LedgerObject[] {
    return Array.from({ length: this.samples }, () => this.put())
  }

  /** Has `thief` remove the object as if it were its own. */
  remove(object: LedgerObject, thief: SimNode): void {
    this.ledger.remove({ ...object, owner: thief })
    this.world.simulation.run(commandMs)
  }

  /** Reads the object from any member that has no copy; whether that gave its bytes. */
  read(object: LedgerObject): boolean {
    const { counts } = this.ledger
    const before = counts.getsOk
    this.ledger.get(this.anyMember(this.ledger.holders(object.guid)), object)
    this.world.simulation.run(commandMs)
    return counts.getsOk > before
  }

  /** A random member whose host is none of these. */
  anyMember(not: readonly number[] = []): SimNode {
    const fit = this.world.simulation.running().filter((node) => node.ready && !not.includes(node.host.index))
    return this.prng.pick(fit)!
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.prng.nextInt(256))
  }
}

const objectBytes = 300
/** PAST gives up a command after ten seconds. */
const commandMs = 12_000
