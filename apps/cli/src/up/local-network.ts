import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PlaxtonError } from '@plaxton/kbr'
import { defaultListen } from '../daemon/config.ts'
import { Daemon } from '../daemon/daemon.ts'
import { PlaxtonNode } from '../daemon/plaxton-node.ts'
import { eachAtOnce } from '../each-at-once.ts'
import type { Guid } from '@plaxton/guid'
import type { OverlayFactory } from '@plaxton/kbr'
import type { OverlayService } from '@plaxton/libp2p'
import type { DaemonConfig } from '../daemon/config.ts'
import type { OverlayKind } from '../overlays.ts'

/** One node of the overlay; a Plaxton node has several when it is told to. */
type NodeHost = OverlayService['host']

/** Nodes that start and join at the same time. */
const startingAtOnce = 4

/** A node must be a member within this time. */
const joinWithinMs = 30_000

/** Between two looks at whether all virtual nodes of a node are members. */
const lookEveryMs = 20

/** Hops after which a walk counts as going nowhere: twice the digits of an id, and no overlay takes more than one for each. */
const maxHops = 128

/** Leaving nothing behind must not take longer; the process ends then anyway. */
const endWithinMs = 10_000

/** Nodes in this process, each with its own data folder and its own TCP port on loopback. The first has a control socket. */
export class LocalNetwork {
  /** The folder that holds theirs. */
  readonly folder: string
  /** What its overlay is called. */
  readonly title: string
  private readonly isTemporary: boolean
  private readonly overlay: OverlayFactory
  /** Of each node. */
  readonly virtualNodes: number
  /** By number; one that was killed stays in its place. */
  readonly nodes: PlaxtonNode[] = []
  private readonly dead = new Set<PlaxtonNode>()
  private first: Daemon | undefined

  private constructor(folder: string, isTemporary: boolean, kind: OverlayKind, virtualNodes: number) {
    this.virtualNodes = virtualNodes
    this.title = kind.title
    this.overlay = kind.make()
    this.folder = folder
    this.isTemporary = isTemporary
  }

  /** A network without nodes, in `folder` or in a temporary one that {@link end} removes. */
  static async in(folder: string | undefined, overlay: OverlayKind, virtualNodes = 1): Promise<LocalNetwork> {
    return folder === undefined
      ? new LocalNetwork(await mkdtemp(join(tmpdir(), 'plaxton-')), true, overlay, virtualNodes)
      : new LocalNetwork(resolve(folder), false, overlay, virtualNodes)
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
      const ends = AbortSignal.any([signal, AbortSignal.timeout(joinWithinMs)])
      await node.overlay.whenReady({ signal: ends })
      for (; !node.overlay.nodes.every(({ ready }) => ready); ends.throwIfAborted())
        await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
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

  /**
   * Nodes whose ids do not lead everybody to one and the same node, or about whose neighbourhood they do not all say the same: on which `copies` nodes an object of that id
   * belongs. Asked of what every node knows by itself, so that looking changes nothing, and of whatever overlay it is.
   */
  unsettled(copies: number): PlaxtonNode[] {
    const all = this.living.flatMap(({ overlay }) => overlay.nodes)
    const byId = new Map(all.map((node) => [node.self.id, node]))
    const wanted = Math.min(copies, all.length)
    return this.living.filter(({ overlay }) =>
      overlay.nodes.some((node) => {
        const key = node.self.id
        const opinions = all.map((each) => each.node.overlay.replicaSet(key, wanted).map(({ id }) => id))
        const certain = new Set(opinions.filter(({ length }) => length === wanted).map((ids) => ids.join()))
        // The node itself walks too: where everybody is the root of its own id (not in CAN), that is the one end.
        const [root, ...others] = new Set(all.map((from) => endOfWalk(from, key, byId)))
        return root === undefined || others.length > 0 || certain.size !== 1 || root.node.overlay.replicaSet(key, wanted).length < wanted
      }),
    )
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
      puzzleBits: 0,
      virtualNodes: this.virtualNodes,
      past: {},
      dolr: {},
    }
  }
}

/** Where a message for `key` would be delivered as its ways are now; undefined when it would be held, or go to nobody who lives. */
function endOfWalk(from: NodeHost, key: Guid, byId: ReadonlyMap<Guid, NodeHost>): NodeHost | undefined {
  let node: NodeHost | undefined = from
  for (let hops = 0, cursor = 0; node !== undefined && hops < maxHops; hops++) {
    const next = node.node.overlay.nextHop(key, cursor, new Set())
    if (next.action !== 'forward') return next.action === 'deliver' ? node : undefined
    node = byId.get(next.to.id)
    cursor = next.cursor
  }
  return undefined
}
