import type { Guid } from '@plaxton/guid'
import type { Answer, AppEffects, Application, ForwardDecision, Millis, NodeRef, Reply, ReplyHandle, RoutedMessage } from '@plaxton/kbr'
import type { Simulation, SimNode } from './simulation.ts'

/** One message routed to see where it goes. */
export interface Probe {
  readonly key: Guid
  /** Number of the host that sent it. */
  readonly source: number
  readonly sentAt: Millis
  /** Number of the host that was the true root when it was delivered; undefined until then. */
  rootThen: number | undefined
  /** The host it was delivered at, the hops and the time it took; undefined until it was. */
  deliveredAt: number | undefined
  hops: number
  /** Length of the way it took, in the unit of the topology. */
  distance: number
  elapsedMs: Millis
  /** Deliveries; more than one is a duplicate. */
  deliveries: number
}

/**
 * An application that routes empty messages and writes down where they end, after how many hops and how long: the researcher's stopwatch.
 *
 * All nodes of a simulation share one log, which is knowledge no node has; use it for measuring only.
 */
export class ProbeLog {
  /** In the order sent; the number of a probe is its index. Grows with every probe until {@link clear}. */
  readonly probes: Probe[] = []
  private simulation: Simulation | undefined

  /** The application to give to one node. */
  application(): Application {
    return new ProbeApplication(this)
  }

  /** Routes a probe towards the root of `key` from this node. */
  send(simulation: Simulation, from: SimNode, key: Guid): Probe {
    this.simulation = simulation
    const probe: Probe = {
      key,
      source: from.host.index,
      sentAt: simulation.now,
      rootThen: undefined,
      deliveredAt: undefined,
      hops: 0,
      distance: 0,
      elapsedMs: 0,
      deliveries: 0,
    }
    const number = this.probes.push(probe) - 1
    simulation.command(from, from.application(probeName), (fx) => fx.route(key, encodeNumber(number)))
    return probe
  }

  clear(): void {
    this.probes.length = 0
  }

  /** Called by the application of every node the probe comes to. */
  passes(at: NodeRef, message: RoutedMessage): void {
    const probe = this.find(message)
    if (probe === undefined || probe.deliveries > 0) return
    const simulation = this.simulation!
    probe.distance += simulation.simulator.topology.distance(simulation.hostOf(message.previousHop), simulation.hostOf(at))
  }

  /** Called by the application of the node where the probe ends. */
  delivered(at: NodeRef, message: RoutedMessage, now: Millis): void {
    const probe = this.find(message)
    if (probe === undefined || probe.deliveries++ > 0) return
    const simulation = this.simulation!
    probe.deliveredAt = simulation.hostOf(at)
    const { members } = simulation
    const root = members.root(probe.key)
    // A node that becomes a member delivers what it held in the same step, before the simulation counts it as one.
    const isRoot = root === undefined || root.self.id === at.id || members.ownership.ranks(probe.key, [root.self.id, at.id], 1)[0] === at.id
    probe.rootThen = isRoot ? probe.deliveredAt : root.host.index
    probe.hops = message.hops
    probe.elapsedMs = now - probe.sentAt
  }

  /** The probe a message carries; undefined when it was sent before the log was cleared. */
  private find(message: RoutedMessage): Probe | undefined {
    const probe = this.probes[decodeNumber(message.payload)]
    return probe?.key === message.key ? probe : undefined
  }
}

const probeName = 'probe'

class ProbeApplication implements Application {
  readonly name = probeName
  private readonly log: ProbeLog

  constructor(log: ProbeLog) {
    this.log = log
  }

  deliver(message: RoutedMessage, now: Millis, fx: AppEffects): void {
    this.log.delivered(fx.self, message, now)
  }

  forward(message: RoutedMessage, _nextHop: NodeRef | undefined, _now: Millis, fx: AppEffects): ForwardDecision {
    this.log.passes(fx.self, message)
    return goOn
  }

  onLeave(_now: Millis, fx: AppEffects): void {
    fx.handedOver()
  }

  // Nothing is asked, stored or timed.
  onStart(_now: Millis, _fx: AppEffects): void {}
  update(_node: NodeRef, _joined: boolean, _now: Millis, _fx: AppEffects): void {}
  onRequest(_from: NodeRef, _payload: Uint8Array, _reply: ReplyHandle, _now: Millis, _fx: AppEffects): void {}
  onReply(_requestId: number, _reply: Reply, _now: Millis, _fx: AppEffects): void {}
  onTimer(_kind: string, _arg: number, _now: Millis, _fx: AppEffects): void {}
  onAnswer(_token: number, _answer: Answer, _now: Millis, _fx: AppEffects): void {}
}

const goOn: ForwardDecision = { action: 'continue' }

function encodeNumber(number: number): Uint8Array {
  return Uint8Array.of(number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24)
}

function decodeNumber(bytes: Uint8Array): number {
  return bytes[0]! + bytes[1]! * 256 + bytes[2]! * 65536 + bytes[3]! * 16777216
}
