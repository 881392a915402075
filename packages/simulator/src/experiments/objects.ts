import { DolrNode, rootKey } from '@plaxton/dolr'
import type { DolrConfig, DolrEvent } from '@plaxton/dolr'
import { randomGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { AppEffects, KbrEvent, Millis, Prng } from '@plaxton/kbr'
import type { SimNode, Simulation } from '../simulation.ts'

/** One message to an object. */
export interface Sent {
  readonly guid: Guid
  /** Numbers of hosts: who sent it, and who had it first; undefined when nobody had. */
  readonly source: number
  host: number | undefined
  readonly sentAt: Millis
  /** Until the host had it. */
  arrivedMs: Millis
  /** When the command ended, and whether with an answer; undefined until then. */
  endedAt: Millis | undefined
  ok: boolean
}

/** A pointer lives for so many republications, as in DOLR's defaults. */
const livesPerPointer = 3

/** Objects on the nodes of an experiment: publishes them, sends to them, answers at their hosts, and writes down what came of it. */
export class Objects {
  readonly sent: Sent[] = []
  /** Publications that failed. */
  failed = 0
  private readonly config: Partial<DolrConfig>
  private simulation: Simulation | undefined = undefined
  private readonly commands = new Map<string, Sent | 'publish'>()
  /** Ended in the step that began them, before their number was known. */
  private readonly early = new Map<string, boolean>()

  constructor(config: Partial<DolrConfig> = {}) {
    this.config = config
  }

  application(prng: Prng): DolrNode {
    return new DolrNode(this.config, prng)
  }

  watch(simulation: Simulation): void {
    this.simulation = simulation
    simulation.onEvent((node, event) => this.onEvent(node, event))
  }

  publish(node: SimNode, guid: Guid): void {
    this.command(node, 'publish', (dolr, now, fx) => dolr.publish({ guid, answers: true }, now, fx))
  }

  send(node: SimNode, guid: Guid): void {
    const { now } = this.simulation!
    const sent: Sent = { guid, source: node.host.index, host: undefined, sentAt: now, arrivedMs: NaN, endedAt: undefined, ok: false }
    const number = this.sent.push(sent) - 1
    const message = Uint8Array.of(number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24)
    this.command(node, sent, (dolr, at, fx) => dolr.send({ guid, message }, at, fx))
  }

  private command(node: SimNode, about: Sent | 'publish', run: (dolr: DolrNode, now: Millis, fx: AppEffects) => number): void {
    const dolr = dolrOf(node)
    const name = `${node.process!.index}/${this.simulation!.command(node, dolr, (fx, now) => run(dolr, now, fx))}`
    this.commands.set(name, about)
    const ok = this.early.get(name)
    if (ok !== undefined) this.onDone(name, ok)
  }

  private onEvent(node: SimNode, event: KbrEvent | DolrEvent): void {
    if (event.type === 'dolr:message') this.onMessage(node, event as Extract<DolrEvent, { type: 'dolr:message' }>)
    if (event.type === 'dolr:done') {
      const { command, outcome } = event as Extract<DolrEvent, { type: 'dolr:done' }>
      const name = `${node.process!.index}/${command}`
      if (this.commands.has(name)) this.onDone(name, outcome.ok)
      else this.early.set(name, outcome.ok)
    }
  }

  private onMessage(node: SimNode, { delivery, message }: Extract<DolrEvent, { type: 'dolr:message' }>): void {
    const simulation = this.simulation!
    const sent = this.sent[message[0]! + message[1]! * 256 + message[2]! * 65536 + message[3]! * 16777216]!
    if (sent.host === undefined) {
      sent.host = node.host.index
      sent.arrivedMs = simulation.now - sent.sentAt
    }
    const dolr = dolrOf(node)
    simulation.command(node, dolr, (fx, now) => dolr.answer(delivery, true, message, now, fx))
  }

  private onDone(name: string, ok: boolean): void {
    const about = this.commands.get(name)!
    this.commands.delete(name)
    this.early.delete(name)
    if (about === 'publish') {
      if (!ok) this.failed++
    } else {
      about.endedAt = this.simulation!.now
      about.ok = ok
    }
  }
}

/** DOLR as the paper has it: one root, the first node with a pointer sends the message on; and no republishing within the hour, to keep still. */
export const asInThePaper: Partial<DolrConfig> = {
  roots: 1,
  choose: 'holder',
  republishMs: 3_600_000,
  ttlMs: livesPerPointer * 3_600_000,
}

/** `count` new objects, each published from a node of `hosts` in turn, `gapMs` apart. */
export function publishAll(
  simulation: Simulation,
  objects: Objects,
  hosts: readonly SimNode[],
  count: number,
  gapMs: Millis,
): Array<readonly [Guid, SimNode]> {
  const prng = simulation.simulator.stream('objects')
  const published = Array.from({ length: count }, (_, i) => {
    const entry = [randomGuid(prng), hosts[i % hosts.length]!] as const
    objects.publish(entry[1], entry[0])
    simulation.run(gapMs)
    return entry
  })
  simulation.run(publishMs)
  return published
}

/** Longer than publishing takes at most. */
const publishMs = 10_000

/** The same object in the ideal network: under the key of its first root. */
export function idealKey(guid: Guid): Guid {
  return rootKey(guid, 0)
}

/** Hosts that the first node with a pointer names, on the way that a message from `from` takes to the root of this salt; empty when there is none. */
export function namedOnTheWay(simulation: Simulation, from: SimNode, guid: Guid, salt: number): Guid[] {
  const key = rootKey(guid, salt)
  const none = new Set<Guid>()
  let at = from
  let cursor = 0
  for (let hops = 0; hops < maxHops; hops++) {
    const dolr = dolrOf(at)
    const named = simulation.command(at, dolr, (fx, now) => dolr.pointersTo(guid, now, fx))
    if (named.length > 0) return named.map(({ id }) => id)
    const next = at.kbr.overlay.nextHop(key, cursor, none)
    if (next.action !== 'forward') return []
    at = simulation.nodes[simulation.hostOf(next.to)]!
    if (!at.running) return []
    cursor = next.cursor
  }
  return []
}

const maxHops = 32

export function dolrOf(node: SimNode): DolrNode {
  return node.application('dolr') as DolrNode
}
