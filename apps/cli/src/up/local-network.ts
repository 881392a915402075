import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PlaxtonError } from '@plaxton/kbr'
import { defaultListen } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { PlaxtonNode } from '../daemon/plaxton-node.ts'
import { eachAtOnce } from '../each-at-once.ts'
import type { Guid } from '@plaxton/guid'
import type { DaemonConfig, OverlayName } from '../daemon/config.ts'

/** Nodes that start and join at the same time. */
const startingAtOnce = 4

/** A node must be a member within this time, and all of them know their neighbours. */
const joinWithinMs = 30_000

/** Neighbours on either side that a node must know: half of Pastry's leaf set of 16. */
const neighborsPerSide = 8

/** Leaving nothing behind must not take longer; the process ends then anyway. */
const endWithinMs = 10_000

/** Nodes in this process, each with its own data folder and its own TCP port on loopback. The first has a control socket. */
export class LocalNetwork {
  /** The folder that holds theirs. */
  readonly folder: string
  private readonly isTemporary: boolean
  private readonly overlay: OverlayName
  /** By number; one that was killed stays in its place. */
  readonly nodes: PlaxtonNode[] = []
  private readonly dead = new Set<PlaxtonNode>()
  private first: Daemon | undefined

  private constructor(folder: string, isTemporary: boolean, overlay: OverlayName) {
    this.overlay = overlay
    this.folder = folder
    this.isTemporary = isTemporary
  }

  /** A network without nodes, in `folder` or in a temporary one that {@link end} removes. */
  static async in(folder: string | undefined, overlay: OverlayName): Promise<LocalNetwork> {
    return folder === undefined
      ? new LocalNetwork(await mkdtemp(join(tmpdir(), 'plaxton-')), true, overlay)
      : new LocalNetwork(resolve(folder), false, overlay)
  }

  /** The node that is never killed, with its catalog and control socket. */
  get daemon(): Daemon {
    if (this.first === undefined) throw new PlaxtonError('NotReadyError', 'ERR_NOT_READY', 'the first node has not started')
    return this.first
  }

  get living(): PlaxtonNode[] {
    return this.nodes.filter((node) => !this.dead.has(node))
  }

  /** Starts `count` nodes; resolves when each is a member. */
  async start(count: number, signal: AbortSignal, onMember: (members: number) => void): Promise<void> {
    let members = 0
    const joined = async (node: PlaxtonNode): Promise<void> => {
      await node.overlay.whenReady({ signal: AbortSignal.any([signal, AbortSignal.timeout(joinWithinMs)]) })
      onMember(++members)
    }
    this.first = await Daemon.start(this.configOf(0, []))
    this.nodes.push(this.first.node)
    await joined(this.first.node)
    const bootstrap = this.first.node.multiaddrs
    const numbers = Array.from({ length: count - 1 }, (_, index) => index + 1)
    await eachAtOnce(numbers, startingAtOnce, async (number) => {
      signal.throwIfAborted()
      const node = await PlaxtonNode.start(this.configOf(number, bootstrap))
      this.nodes.push(node)
      await joined(node)
    })
  }

  /** Nodes that do not know all the living nodes next to them on the ring. */
  strangers(): PlaxtonNode[] {
    const ring = this.living.toSorted((a, b) => (a.overlay.self.id < b.overlay.self.id ? -1 : 1))
    const ids = ring.map((node) => node.overlay.self.id)
    return ring.filter((node, place) => {
      const known = new Set(node.overlay.kbr.neighborSet(2 * neighborsPerSide).map(({ id }) => id))
      return neighborsOf(place, ids).some((id) => !known.has(id))
    })
  }

  /** Ends nodes as killed processes end, all at once. */
  async kill(nodes: readonly PlaxtonNode[]): Promise<void> {
    for (const node of nodes) this.dead.add(node)
    await Promise.all(nodes.map((node) => node.crash()))
  }

  /** Ends all nodes and removes the temporary folder. Never rejects, and takes {@link endWithinMs} at most. */
  async end(): Promise<void> {
    const { first } = this
    const others = this.living.filter((node) => node !== first?.node)
    const ended = Promise.allSettled([first?.crash(), ...others.map((node) => node.crash())])
    await Promise.race([ended, new Promise((resolve) => void setTimeout(resolve, endWithinMs).unref())])
    if (this.isTemporary) await rm(this.folder, { recursive: true, force: true }).catch(() => {})
  }

  private configOf(number: number, bootstrap: readonly string[]): DaemonConfig {
    const data = join(this.folder, `node-${String(number).padStart(2, '0')}`)
    return {
      data,
      control: join(data, 'control.sock'),
      listen: [defaultListen],
      bootstrap,
      network: 'local',
      overlay: this.overlay,
      pastry: {},
      past: {},
    }
  }
}

/** The ids within reach of the leaf set of the node at `place` on a sorted ring. */
function neighborsOf(place: number, ids: readonly Guid[]): Guid[] {
  const reach = Math.min(neighborsPerSide, ids.length - 1)
  const offsets = Array.from({ length: reach }, (_, index) => index + 1)
  return offsets.flatMap((offset) => [ids[(place + offset) % ids.length]!, ids[(place - offset + ids.length) % ids.length]!])
}
