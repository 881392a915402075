import { Prng } from '@plaxton/kbr'
import { pastry } from '@plaxton/pastry'
import { EventQueue } from '../src/event-queue.ts'
import { ProbeLog, Simulation, plane } from '../src/index.ts'
import type { Simulator } from '../src/index.ts'

/**
 * The queue alone, and messages a second through whole stacks: Pastry nodes that keep themselves up and route lookups. Counted are messages handed to
 * cores, acknowledgements among them, then without these, and with the timers that came due. Seconds are of processor time, so that other work on the machine disturbs little. NODES=10000 for
 * another size, LOOKUPS=200 for a longer run: compiling takes more than the first second.
 */

const rounds = 2_000_000
/** Each second every node looks something up. */
const lookupSeconds = Number(process.env['LOOKUPS'] ?? 20)

queue(20_000, 1000)
queue(600_000, 120_000)
stacks(Number(process.env['NODES'] ?? 1000))

/** Half of the entries are due within a second, as messages are, the others within `timersMs`. */
function queue(pendingEvents: number, timersMs: number): void {
  const prng = Prng.fromSeed(1)
  const delays = Array.from({ length: 4096 }, (_, i) => prng.nextInt(i % 2 === 0 ? 1000 : timersMs))
  const events = new EventQueue()
  for (let i = 0; i < pendingEvents; i++) events.push(delays[i & 4095]!, 2, i, 0, undefined)
  const started = cpuSeconds()
  for (let i = 0; i < rounds; i++) {
    events.pop()
    events.push(events.time + delays[i & 4095]!, 2, i, 0, undefined)
  }
  const seconds = cpuSeconds() - started
  console.log(`event queue, ${pendingEvents} pending: ${(rounds / seconds / 1e6).toFixed(1)} M pops and pushes a second`)
}

function stacks(nodes: number): void {
  const log = new ProbeLog()
  const simulation = new Simulation({ seed: 1, nodes, topology: plane(), overlay: pastry(), applications: () => [log.application()] })
  const joining = measure(simulation, () => simulation.joinAll({ gapMs: Math.ceil(100_000 / nodes) }))
  console.log(`${nodes} Pastry nodes joined: ${joining}`)

  const prng = simulation.simulator.stream('lookups')
  const lookups = measure(simulation, () => {
    for (let second = 0; second < lookupSeconds; second++) {
      for (let i = 0; i < nodes; i++) log.send(simulation, simulation.nodes[i]!, prng.pick(simulation.members.sorted)!)
      simulation.run(1000)
      log.clear()
    }
  })
  console.log(`${lookupSeconds} lookups by each: ${lookups}`)
}

/** What cores were given while it ran, and what that cost. */
function measure({ simulator }: Simulation, run: () => void): string {
  const before = given(simulator)
  const started = cpuSeconds()
  run()
  const seconds = cpuSeconds() - started
  const [messages, acks, inputs] = given(simulator).map((count, i) => count - before[i]!) as [number, number, number]
  const rate = (count: number): string => (count / seconds / 1e6).toFixed(3)
  return (
    `${messages} messages in ${seconds.toFixed(1)} s, ${rate(messages)} M a second, without ${acks} acknowledgements ${rate(messages - acks)} M, ` +
    `with ${inputs - messages} timers ${rate(inputs)} M`
  )
}

/** Messages, acknowledgements among them, and inputs of every kind. */
function given({ counts, trace }: Simulator): number[] {
  const acks = counts.byType().find(({ name }) => name === 'ack')?.delivered ?? 0
  return [counts.deliveries, acks, trace.length]
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
