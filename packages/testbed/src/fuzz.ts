import type { Guid } from '@plaxton/guid'
import type { NodeRef } from '@plaxton/kbr'
import { Prng } from '@plaxton/kbr'
import { byte, guid } from './ids.ts'

/** What a message may hold, drawn at random but within what codecs let pass: for networks of 8-bit ids. */
export class Fuzz {
  readonly prng: Prng

  constructor(seed: string) {
    this.prng = Prng.fromSeed(seed)
  }

  /** Of any incarnation; now and then of another width. */
  ref(): NodeRef {
    const { prng } = this
    const id = prng.chance(0.05) ? guid('1234') : byte(prng.nextInt(256))
    return { id, address: 'test:nowhere', epoch: prng.nextInt(4) }
  }

  /** Mostly one that means something. */
  number(): number {
    return this.prng.chance(0.7) ? this.prng.nextInt(12) : this.prng.nextUint32()
  }

  refs(): NodeRef[] {
    return Array.from({ length: this.prng.nextInt(8) }, () => this.ref())
  }

  ids(): Guid[] {
    return this.refs().map(({ id }) => id)
  }
}
