import { InvalidValueError } from '@plaxton/kbr'
import type { Millis, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from './simulation.ts'

/** By how much more or fewer come at this time than on average; its mean over time is 1. */
export type Wave = (now: Millis) => number

/** A sine: `swing` of 0.5 has half as many more at the height of the day, and half as many fewer at night. */
export function diurnal(swing: number, dayMs: Millis = 86_400_000): Wave {
  if (!(swing >= 0 && swing <= 1)) throw new InvalidValueError('swing', swing, '0 to 1')
  return (now) => 1 + swing * Math.sin((2 * Math.PI * now) / dayMs)
}

/** So many newcomers within a short time, evenly at random. Calls `onNode` with each. */
export function flashCrowd(
  simulation: Simulation,
  prng: Prng,
  { nodes, withinMs, onNode }: { readonly nodes: number; readonly withinMs: Millis; readonly onNode?: (node: SimNode) => void },
): void {
  for (let i = 0; i < nodes; i++) {
    simulation.after(prng.nextInt(withinMs), () => {
      const node = simulation.addNode()
      onNode?.(node)
    })
  }
}

/**
 * Everybody in one part of the network dies at one moment, as when its line is cut: a stub domain of a transit-stub network, drawn at random among those where somebody runs. Returns who died.
 */
export function failDomain(simulation: Simulation, prng: Prng): readonly SimNode[] {
  const { topology } = simulation.simulator
  const domainOf = (node: SimNode) => topology.domainOf?.(node.host.index)
  const running = simulation.running()
  const domain = domainOf(prng.pick(running.filter((node) => domainOf(node) !== undefined)) ?? running[0]!)
  if (domain === undefined) throw new InvalidValueError('topology', topology.name, 'one with domains, such as transit-stub')
  const dead = running.filter((node) => domainOf(node) === domain)
  for (const node of dead) simulation.crash(node)
  return dead
}
