import { randomGuid, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { KbrEvent, NodeRef, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from './simulation.ts'
import type { Violations } from './violations.ts'

/**
 * One root per key. After quiet, a message for any key must end at its true root, from wherever it starts; the root must name the true replica
 * set of `replicas` nodes; and so must each node in a replica set of `held` (default: none need know, but who does not must not name others). Messages are not sent: the nodes are asked for their next hops. Asked for are random keys at every node; and the keys where two nodes' ranges
 * meet, the nodes' own ids and those beside them, at both neighbours and at a few others.
 */
export function checkRoots(
  simulation: Simulation,
  violations: Violations,
  options: { readonly prng: Prng; readonly replicas: number; readonly held?: number },
): void {
  const { members } = simulation
  const nodes = membersOf(simulation)
  const checkSets = (key: Guid): void => {
    checkReplicaSet(simulation, violations, key, options.replicas)
    checkHolders(simulation, violations, key, options.held ?? 0, options.replicas)
  }
  if (nodes.length === 0) return
  for (let i = 0; i < randomKeys; i++) {
    const key = randomGuid(options.prng)
    for (const node of nodes) checkWalk(simulation, violations, node, key)
    checkSets(key)
  }
  for (const key of members.ownership.boundaries(members.sorted)) {
    const askers = [...members.ranks(key, 2), ...Array.from({ length: randomAskers }, () => options.prng.pick(members.sorted)!)]
    for (const id of askers) checkWalk(simulation, violations, nodeOf(simulation, id), key)
    checkSets(key)
  }
}

/** After quiet, every leaf set holds exactly the |L|/2 members before and the |L|/2 after its node. */
export function checkLeafSets(simulation: Simulation, violations: Violations, leafSetSize: number): void {
  const { members } = simulation
  for (const node of membersOf(simulation)) {
    const half = leafSetSize / 2
    const wanted = new Set([...members.predecessors(node.id, half), ...members.successors(node.id, half)])
    const found = node.kbr.overlay.neighborSet(leafSetSize).map((ref) => ref.id)
    const difference = differences([...wanted], found)
    if (difference !== '') violations.add('leaf sets exact', simulation.now, `${name(node)} ${difference}`)
  }
}

/**
 * Watches where messages are delivered: at the true root at that moment, or wrongly. With messages lost, nodes slow or cut off, live nodes may be
 * taken for dead and a wrong delivery is then no violation; so this only counts, and the scenario judges.
 */
export class DeliveryWatch {
  delivered = 0
  /** One line per wrong delivery, the first {@link maxWrongKept} of them. */
  readonly wrong: string[] = []
  wrongs = 0

  constructor(simulation: Simulation) {
    simulation.onEvent((node, event, now) => {
      if (event.type === 'delivered') this.onDelivered(simulation, node, event as Extract<KbrEvent, { type: 'delivered' }>, now)
    })
  }

  private onDelivered(simulation: Simulation, node: SimNode, event: Extract<KbrEvent, { type: 'delivered' }>, now: number): void {
    this.delivered++
    // Events are heard after the step. Of one that delivers and leaves in the same step, who was the root at its beginning cannot be told any more.
    if (node.process!.memberUntil === now) return
    const root = simulation.members.root(event.key)
    if (root === node.process) return
    this.wrongs++
    if (this.wrong.length === maxWrongKept) return
    const rightful = root === undefined ? 'nobody' : `${shortGuid(root.self.id)} (host ${root.host.index})`
    this.wrong.push(`at ${now} ms ${event.application} key ${shortGuid(event.key)} delivered at ${name(node)}, its root was ${rightful}`)
  }
}

const maxWrongKept = 20
const randomKeys = 20
const randomAskers = 3
/** Far more than any route takes. */
const maxHops = 64

/** A walk that meets a dead node goes round it, as the routing would after a time-out; routing-table entries are repaired on use. */
function checkWalk(simulation: Simulation, violations: Violations, from: SimNode, key: Guid): void {
  const root = simulation.members.root(key)!
  const fail = (why: string) =>
    violations.add(
      'one root per key',
      simulation.now,
      `key ${key} from ${name(from)}: ${why}; its root is ${shortGuid(root.self.id)} (host ${root.host.index})`,
    )
  const avoid = new Set<Guid>()
  let at = from
  let cursor = 0
  for (let hops = 0; hops < maxHops; hops++) {
    const next = at.kbr.overlay.nextHop(key, cursor, avoid)
    if (next.action === 'deliver') {
      if (at.process !== root) fail(`delivered at ${name(at)}`)
      return
    }
    if (next.action !== 'forward') return fail(`'${next.action}' at ${name(at)}`)
    const to = nodeOfRef(simulation, next.to)
    if (!to.ready) {
      if (avoid.has(next.to.id)) return fail(`${name(at)} insists on ${shortGuid(next.to.id)}, which is down`)
      avoid.add(next.to.id)
    } else {
      at = to
      cursor = next.cursor
    }
  }
  fail(`no end after ${maxHops} hops`)
}

function checkReplicaSet(simulation: Simulation, violations: Violations, key: Guid, replicas: number): void {
  const { members } = simulation
  const root = nodeOf(simulation, members.root(key)!.self.id)
  const wanted = members.ranks(key, replicas)
  const found = root.kbr.overlay.replicaSet(key, replicas).map((ref) => ref.id)
  if (wanted.join() === found.join()) return
  const difference = differences(wanted, found)
  violations.add(
    'one root per key',
    simulation.now,
    `replica set of ${key} at ${name(root)} ${difference === '' ? 'is in the wrong order' : difference}`,
  )
}

/** What the other nodes of a replica set say of it: they keep the replicas, and compare with each other. */
function checkHolders(simulation: Simulation, violations: Violations, key: Guid, held: number, replicas: number): void {
  const truth = simulation.members.ranks(key, replicas)
  for (const id of truth.slice(1)) {
    const holder = nodeOf(simulation, id)
    const wanted = truth.indexOf(id) < held ? truth.slice(0, held) : []
    const found = holder.kbr.overlay.replicaSet(key, Math.max(held, 1)).map((ref) => ref.id)
    if (found.length >= wanted.length && found.every((other, rank) => other === truth[rank])) continue
    const what = differences(wanted, found) || 'is in the wrong order'
    violations.add(
      'holders know their replica set',
      simulation.now,
      `replica set of ${key} at ${name(holder)}, rank ${truth.indexOf(id)}, ${what}`,
    )
  }
}

/** What `found` lacks and has too much, in words; empty when both have the same ids. */
export function differences(wanted: readonly Guid[], found: readonly Guid[]): string {
  const missing = wanted.filter((id) => !found.includes(id)).map(shortGuid)
  const extra = found.filter((id) => !wanted.includes(id)).map(shortGuid)
  return [
    ...(missing.length > 0 ? [`lacks ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`names ${extra.join(', ')} instead`] : []),
  ].join(' and ')
}

/** The nodes that are members, in ascending order of id. */
export function membersOf(simulation: Simulation): SimNode[] {
  return simulation.members.all().map((process) => simulation.nodes[process.host.index]!)
}

function nodeOf(simulation: Simulation, id: Guid): SimNode {
  return simulation.nodes[simulation.members.of(id)!.host.index]!
}

function nodeOfRef(simulation: Simulation, ref: NodeRef): SimNode {
  return simulation.nodes[simulation.hostOf(ref)]!
}

/** How a violation names a node. */
export function name(node: SimNode): string {
  return `${shortGuid(node.id)} (host ${node.host.index})`
}
