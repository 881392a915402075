import { tapestryDefaults } from '@plaxton/tapestry'
import { sharedPrefixDigits } from '@plaxton/guid'
import type { Millis } from '@plaxton/kbr'
import { placesOf } from '../../growing.ts'
import { leastInsertion } from '../../ideal-insertion.ts'
import type { LeastInsertion } from '../../ideal-insertion.ts'
import type { Place } from '../../ideal-tables.ts'
import type { Simulation } from '../../simulation.ts'

/** The least that each of the last `count` insertions could have taken, with all before it there. What is least is Tapestry's, whatever the nodes run. */
export function leastOfLast(simulation: Simulation, count: number, digitBits: number): LeastInsertion[] {
  const places = placesOf(simulation)
  const { redundancy } = tapestryDefaults
  return Array.from({ length: count }, (_, i) => {
    const newcomer = places.length - count + i
    return leastInsertion(simulation.simulator.topology, places.slice(0, newcomer), places[newcomer]!, { digitBits, redundancy })
  })
}

/**
 * The least that it takes the last `count` nodes to come in at one moment: the longest of the round trips that each needs. A joiner that shares more digits with another joiner than with any
 * node of before may come in after that one, which alone must know it then; what it needs depends on their order, and is left out.
 */
export function leastTogether(simulation: Simulation, count: number, digitBits: number): Millis {
  const places = placesOf(simulation)
  const [before, joiners] = [places.slice(0, -count), places.slice(-count)]
  const most = (newcomer: Place, others: readonly Place[]) =>
    Math.max(...others.filter((other) => other !== newcomer).map(({ id }) => sharedPrefixDigits(id, newcomer.id, digitBits)))
  const certain = joiners.filter((newcomer) => most(newcomer, before) >= most(newcomer, joiners))
  const { redundancy } = tapestryDefaults
  const least = certain.map(
    (newcomer) => leastInsertion(simulation.simulator.topology, before, newcomer, { digitBits, redundancy }).longestMs,
  )
  return Math.max(0, ...least)
}
