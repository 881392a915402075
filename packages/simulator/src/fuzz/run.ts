import type { Millis } from '@plaxton/kbr'
import { mixTopologies } from '../mix-plan.ts'
import type { OverlayUnderTest } from '../overlays.ts'
import type { SimNode, Simulation } from '../simulation.ts'
import { Trial } from '../trial.ts'
import type { Violations } from '../violations.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import { verbs } from './verbs.ts'
import type { Stage } from './verbs.ts'

export interface ScenarioResult {
  readonly violations: Violations
  /** Messages handled. */
  readonly messages: number
  readonly virtualMs: Millis
  readonly traceHash: string
}

/**
 * Runs a scenario: its events; then all that disturbs the network ends, it settles, and every checker of the mix looks. Who is down by then stays down. Networks of up
 * to twenty hosts have the invariants of a node looked at after each of its steps.
 */
export function runScenario(scenario: Scenario, subject: OverlayUnderTest): ScenarioResult {
  const { seed, topology, noticeMs, encode, replicas, dolr, events } = scenario
  const hosts = 1 + Math.max(0, ...events.flatMap(hostsOf))
  const trial = new Trial({
    seed,
    nodes: hosts,
    topology: mixTopologies[topology],
    network: { noticeMs },
    encode,
    separateDraws: true,
    keepMet: true,
    subject,
    services: [...(replicas === undefined ? [] : (['past'] as const)), ...(dolr === undefined ? [] : (['dolr'] as const))],
    replicas: replicas ?? 0,
    dolr: dolr ?? noDolr,
  })
  const { simulation } = trial
  const stage: Stage = { trial, objects: new Map(), replicas: replicas ?? 0 }
  trial.attempt(() => {
    for (let host = 0; host < hosts; host++) simulation.addHost()
    for (const event of events) {
      simulation.run(Math.max(0, event.at - simulation.now))
      if (isPossible(event, scenario)) verbs[event.verb].perform(stage, event.args)
    }
    simulation.network.repair()
    simulation.runUntil(() => simulation.running().every((node) => node.ready), joinLimitMs)
    introduceStrangers(simulation)
    trial.settle([])
    if (simulation.running().length > 0) trial.checkEverything()
  })
  return {
    violations: trial.violations,
    messages: simulation.simulator.counts.deliveries,
    virtualMs: simulation.now,
    traceHash: simulation.traceHash,
  }
}

/**
 * Parts of the network of which nobody has ever had a message from another part cannot find each other, whatever their overlay does: those between them are gone. One of each part is told of one
 * of the first.
 */
function introduceStrangers(simulation: Simulation): void {
  const members = simulation.running().filter((node) => node.ready)
  const parts: SimNode[][] = []
  for (const node of members) {
    const met = (other: SimNode): boolean => knows(node, other) || knows(other, node)
    const joined = parts.filter((part) => part.some(met))
    for (const part of joined) parts.splice(parts.indexOf(part), 1)
    parts.push([...joined.flat(), node])
  }
  const [first, ...others] = parts
  for (const part of others) simulation.introduce(part[0]!, first![0]!)
}

function knows(node: SimNode, other: SimNode): boolean {
  return node.process!.met?.has(other.host.index) === true
}

/** The hosts that an event names. */
export function hostsOf({ verb, args }: ScenarioEvent): readonly number[] {
  const { hosts } = verbs[verb]
  return hosts === 'all' ? args : args.slice(0, hosts === 'none' ? 0 : hosts === 'first' ? 1 : 2)
}

/** The service an event commands, if any. */
export function serviceOf({ verb }: ScenarioEvent): 'past' | 'dolr' | undefined {
  if (['put', 'put-named', 'get', 'remove'].includes(verb)) return 'past'
  return ['publish', 'unpublish', 'send', 'locate'].includes(verb) ? 'dolr' : undefined
}

function isPossible(event: ScenarioEvent, { replicas, dolr }: Scenario): boolean {
  const service = serviceOf(event)
  return service === undefined || (service === 'past' ? replicas : dolr) !== undefined
}

/** Whoever is joining when the events are over has this long before it is seen who has met whom. */
const joinLimitMs = 60_000
/** Nobody is given these. */
const noDolr = { choose: 'sender', roots: 1, republishMs: 1, nearBackups: 0, nearNeighbors: 0, nearHops: 0 } as const
