import { countNodeSeconds, sentWhile } from '@plaxton/simulator'
import type { KbrEvent, Millis } from '@plaxton/kbr'
import type { Traffic, World } from '@plaxton/simulator'
import { ascending } from './at-rest.ts'
import { percentile } from '@plaxton/simulator'

/** What one node's coming costs the whole network. */
export interface JoinCost extends Traffic {
  /** Median time from its start until it is a member. */
  readonly medianMs: Millis
}

/**
 * Nodes join one every few seconds; what all nodes send until a minute after the last, less the upkeep of as many nodes over that time as it was
 * measured at rest (`upkeep`: per second and node).
 */
export function joinCost({ simulation }: World, upkeep: Traffic): JoinCost {
  const times: Millis[] = []
  simulation.onEvent((_node, event) => {
    if (event.type === 'ready') times.push((event as Extract<KbrEvent, { type: 'ready' }>).elapsedMs)
  })
  const nodeSeconds = countNodeSeconds(simulation, simulation.now + joins * joinGapMs + settleMs)
  const sent = sentWhile(simulation, () => {
    for (let i = 0; i < joins; i++) {
      simulation.addNode()
      simulation.run(joinGapMs)
    }
    simulation.run(settleMs)
  })
  const seconds = nodeSeconds()
  return {
    messages: (sent.messages - upkeep.messages * seconds) / joins,
    bytes: (sent.bytes - upkeep.bytes * seconds) / joins,
    medianMs: percentile(ascending(times), 50),
  }
}

const joins = 20
const joinGapMs = 3000
/** What a join sets off is over by then. */
const settleMs = 60_000
