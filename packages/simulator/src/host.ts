import type { Guid } from '@plaxton/guid'
import { assert } from '@plaxton/kbr'
import type { Core, MessageCodec, Millis, NodeRef } from '@plaxton/kbr'
import type { Disk } from './disk.ts'

/** A reference that knows its host's number, so that sending needs no look-up. One per incarnation, shared by everyone. */
export class SimRef implements NodeRef {
  readonly id: Guid
  readonly address: string
  readonly epoch: number
  readonly host: number

  constructor(id: Guid, address: string, epoch: number, host: number) {
    this.id = id
    this.address = address
    this.epoch = epoch
    this.host = host
  }
}

/** A machine with a place in the topology, an id and a disk. Processes come and go on it, one at a time. */
export class Host {
  readonly index: number
  readonly id: Guid
  readonly address: string
  readonly disk: Disk
  /** The reference of each incarnation so far, epochs 1, 2, …. */
  refs: readonly SimRef[] = []
  /** What runs here now. */
  process: Process | undefined = undefined

  constructor(index: number, id: Guid, disk: Disk) {
    this.index = index
    this.id = id
    this.address = `sim:${index}`
    this.disk = disk
  }

  /** The reference of the next incarnation. */
  nextRef(): SimRef {
    const ref = new SimRef(this.id, this.address, this.refs.length + 1, this.index)
    this.refs = this.refs.concat(ref)
    return ref
  }
}

/** One incarnation of a node: from a start to a crash or a leave. */
export class Process {
  /** Number among all processes of the run. */
  readonly index: number
  readonly host: Host
  readonly self: SimRef
  /** Set when its messages travel as bytes. */
  readonly codec: MessageCodec | undefined
  alive = true
  /** Since when it counts as a member of its overlay, undefined while it does not; kept by the simulation. */
  memberSince: Millis | undefined = undefined
  /** When it ceased to be one last. */
  memberUntil: Millis | undefined = undefined
  /** Hosts it has exchanged messages with: its connections. Kept only while the network gives notice; at most the number of hosts. */
  links: Set<number> | undefined = undefined
  /** Hosts an attempt to reach is failing right now, so that one attempt gives one notice. */
  attempts: Set<number> | undefined = undefined
  /** Hosts it has had a message from; kept only when the simulator is to. */
  met: Set<number> | undefined = undefined
  private running: Core | undefined

  constructor(index: number, host: Host, self: SimRef, core: Core, codec: MessageCodec | undefined) {
    this.index = index
    this.host = host
    this.self = self
    this.running = core
    this.codec = codec
  }

  get core(): Core {
    assert(this.running !== undefined, 'a process that has ended has no core')
    return this.running
  }

  /** It has ended. What it knew is let go of: of a network with churn, far more processes have ended than run. */
  end(): void {
    this.alive = false
    this.running = undefined
    this.links = undefined
    this.attempts = undefined
  }
}
