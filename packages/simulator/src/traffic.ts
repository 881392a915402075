import type { Millis } from '@plaxton/kbr'
import type { Simulation } from './simulation.ts'

/** What all nodes of a network have sent together. */
export interface Traffic {
  readonly messages: number
  /** 0 unless messages travel as bytes. */
  readonly bytes: number
}

/** Everything sent so far. */
export function sentSoFar({ simulator: { counts } }: Simulation): Traffic {
  return { messages: counts.sends, bytes: counts.byType().reduce((sum, type) => sum + type.bytes, 0) }
}

/** What is sent while `action` runs the simulation. */
export function sentWhile(simulation: Simulation, action: () => void): Traffic {
  const before = sentSoFar(simulation)
  action()
  return trafficSince(before, sentSoFar(simulation))
}

/** Sent so far but for probes: each `route probe` is acknowledged by one `ack`, the other acks belong to the overlay. All acks are about equally long. */
export function upkeepSoFar(simulation: Simulation): Traffic {
  const all = sentSoFar(simulation)
  const types = simulation.simulator.counts.byType()
  const probes = types.find((type) => type.name === 'route probe')
  if (probes === undefined) return all
  const acks = types.find((type) => type.name === 'ack')
  const ackBytes = acks === undefined ? 0 : (probes.delivered * acks.bytes) / acks.sent
  return { messages: all.messages - probes.sent - probes.delivered, bytes: all.bytes - probes.bytes - ackBytes }
}

/** What was sent between two readings. */
export function trafficSince(earlier: Traffic, later: Traffic): Traffic {
  return { messages: later.messages - earlier.messages, bytes: later.bytes - earlier.bytes }
}

/** Adds up, once a second, how many nodes run. */
export function countNodeSeconds(simulation: Simulation, untilMs: Millis): () => number {
  let seconds = 0
  const tick = (): void => {
    if (simulation.now >= untilMs) return
    seconds += simulation.running().length
    simulation.after(1000, tick)
  }
  tick()
  return () => seconds
}
