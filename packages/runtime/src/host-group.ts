import type { NodeRef } from '@plaxton/kbr'
import { InvalidValueError } from '@plaxton/kbr'
import type { NodeHostInit, WaitOptions } from './host.ts'
import { NodeHost } from './host.ts'
import type { Link } from './link.ts'

/** What a group is made of: what its hosts have in common, and the links of one host. */
export interface HostGroupInit extends Omit<NodeHostInit, 'link'> {
  /** The link of the host's first node, then those of its virtual nodes. One makes an ordinary node. */
  readonly links: readonly Link[]
}

/**
 * The virtual nodes of one host: v nodes with ids of their own, in one process and on the host's one set of connections, so that the host's share of the keys
 * is the sum of v shares and closer to the mean (Stoica et al., "Chord", SIGCOMM 2001, §6.1).
 *
 * Each is a {@link NodeHost} with applications and a store of its own. The first one joins through others; the rest join through it.
 */
export class HostGroup implements AsyncDisposable {
  readonly nodes: readonly NodeHost[]

  constructor({ links, seed, ...common }: HostGroupInit) {
    if (links.length === 0) throw new InvalidValueError('links', links, 'at least one')
    this.nodes = links.map((link, index) => {
      const own = seed === undefined || index === 0 ? seed : `${seed} ${index}`
      return new NodeHost({ ...common, link, ...(own === undefined ? {} : { seed: own }) })
    })
  }

  /** The node that the host had if it had one: its id is the host's own. */
  get first(): NodeHost {
    return this.nodes[0]!
  }

  /** True once all of them are members. */
  get ready(): boolean {
    return this.nodes.every((node) => node.ready)
  }

  /** Starts them all, the first one first. When one cannot start, none stays. */
  async start(): Promise<void> {
    try {
      for (const node of this.nodes) await node.start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** The first becomes a member as by {@link NodeHost.join}, then the others. Resolves when all are. */
  async join(bootstrap: readonly NodeRef[], options: WaitOptions = {}): Promise<void> {
    await this.first.join(bootstrap, options)
    await this.joinOthers(options)
  }

  /** The others become members through the first, which is one, in turn: those that joined at once would have to find out about each other. */
  async joinOthers(options: WaitOptions = {}): Promise<void> {
    for (const node of this.nodes) await node.join([this.first.self], options)
  }

  /** Each member hands over and tells its neighbours, all at the same time. */
  async leave(options: WaitOptions = {}): Promise<void> {
    await Promise.all(this.nodes.filter((node) => node.ready).map((node) => node.leave(options)))
  }

  /** Ends all of them; see {@link NodeHost.stop}. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
