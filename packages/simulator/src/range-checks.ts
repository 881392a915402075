import { addToGuid, inOpenClosed, randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KeyRange, NodeRef, Prng } from '@plaxton/kbr'
import { membersOf, name } from './overlay-checks.ts'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/**
 * After quiet, `range` agrees with the ranks: the keys at both ends of the interval and inside it have the node at that rank, the keys just outside have not
 * (or are in an interval of their own), and none between the key asked from and the interval has. Asked are all members about themselves and a neighbour; a node must know its own rank 0.
 */
export function checkRanges(
  simulation: Simulation,
  violations: Violations,
  options: { readonly prng: Prng; readonly ranks: number },
): void {
  const check = new RangeCheck(simulation, violations, options.prng)
  for (const node of membersOf(simulation)) {
    const { overlay } = node.kbr
    const neighbor = options.prng.pick(overlay.neighborSet(maxNeighbors))
    for (const subject of neighbor === undefined ? [overlay.self] : [overlay.self, neighbor]) {
      for (let rank = 0; rank < options.ranks; rank++) {
        for (const lkey of [subject.id, randomGuid(options.prng)]) check.range(node, subject, rank, lkey)
      }
    }
  }
}

/** More than any overlay keeps. */
const maxNeighbors = 64
/** Keys tried inside an interval and before it. */
const samples = 3

class RangeCheck {
  private readonly simulation: Simulation
  private readonly violations: Violations
  private readonly prng: Prng

  constructor(simulation: Simulation, violations: Violations, prng: Prng) {
    this.simulation = simulation
    this.violations = violations
    this.prng = prng
  }

  range(node: SimNode, subject: NodeRef, rank: number, lkey: Guid): void {
    const range = node.kbr.overlay.range(subject, rank, lkey)
    const fail = (why: string) => {
      const interval = range === undefined ? 'undefined' : `(${range.from}, ${range.to}]`
      this.violations.add(
        'ranges agree with ranks',
        this.simulation.now,
        `range(${subject.id}, ${rank}, ${lkey}) at ${name(node)} is ${interval}: ${why}`,
      )
    }
    if (range === undefined) {
      if (rank === 0 && subject.id === node.id) fail('a node knows its own keys')
      return
    }
    const { from, to } = range
    for (const key of [to, addToGuid(from, 1), ...this.keysIn(range)]) if (!this.has(key, rank, subject)) fail(`${key} inside has another`)
    if (from === to) return
    for (const key of [from, addToGuid(to, 1)]) {
      const other = node.kbr.overlay.range(subject, rank, key)
      const told = other !== undefined && inOpenClosed(key, other.from, other.to)
      if (!told && this.has(key, rank, subject)) fail(`${key} outside has it too`)
    }
    if (inOpenClosed(lkey, from, to)) return
    // From a key to itself is no way, not once round the ring.
    for (const key of [lkey, ...(lkey === from ? [] : this.keysIn({ from: lkey, to: from }))])
      if (this.has(key, rank, subject)) fail(`${key} comes before and has it too`)
  }

  private has(key: Guid, rank: number, subject: NodeRef): boolean {
    return this.simulation.members.ranks(key, rank + 1)[rank] === subject.id
  }

  /** A few keys of the interval, some of them close to its ends. */
  private keysIn({ from, to }: KeyRange): Guid[] {
    const width = BigInt.asUintN(4 * from.length, BigInt(`0x${to}`) - BigInt(`0x${from}`) - 1n) + 1n
    return Array.from({ length: samples }, () => {
      // A whole random id, or one with leading zeros: distances of every magnitude.
      const drawn = BigInt(`0x${randomGuid(this.prng, 4 * from.length)}`) >> BigInt(this.prng.nextInt(4 * from.length))
      return addToGuid(from, 1n + (drawn % width))
    })
  }
}
