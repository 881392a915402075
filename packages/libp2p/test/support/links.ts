import { Libp2pLink } from '../../src/libp2p-link.ts'
import { localNode, within } from './swarm.ts'
import type { Libp2p } from 'libp2p'
import type { NodeRef, PeerDownCause } from '@plaxton/kbr'
import type { LinkReceiver } from '@plaxton/runtime'
import type { Libp2pLinkInit, LinkComponents } from '../../src/link-init.ts'
import type { LocalNodeInit, Cleanup } from './swarm.ts'

interface Arrival {
  readonly from: NodeRef
  readonly frame: Uint8Array
}

/** A receiver that keeps all it is given, for tests to await. */
class Recorder implements LinkReceiver {
  readonly frames: Arrival[] = []
  readonly downs: Array<{ readonly peer: NodeRef; readonly cause: PeerDownCause }> = []
  private waiters: Array<() => void> = []

  onFrame(from: NodeRef, frame: Uint8Array): false | void {
    this.frames.push({ from, frame: frame.slice() })
    this.wake()
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.downs.push({ peer, cause })
    this.wake()
  }

  /** The frames, once there are `count`. */
  async received(count: number): Promise<Arrival[]> {
    await this.eventually(() => this.frames.length >= count, `${count} frames`)
    return this.frames
  }

  async down(cause: PeerDownCause): Promise<NodeRef> {
    await this.eventually(() => this.downs.some((each) => each.cause === cause), `a peer ${cause}`)
    return (this.downs.find((each) => each.cause === cause) as { peer: NodeRef }).peer
  }

  private async eventually(holds: () => boolean, what: string): Promise<void> {
    const arrived = async (): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => this.waiters.push(resolve))
    }
    await within(arrived(), what)
  }

  private wake(): void {
    const waiters = this.waiters
    this.waiters = []
    for (const waiter of waiters) waiter()
  }
}

export interface LinkedNode {
  readonly libp2p: Libp2p
  readonly link: Libp2pLink
  readonly recorder: Recorder
}

/** A libp2p node with nothing but a link; open unless it is to stay closed. */
export async function linkNode(
  cleanup: Cleanup,
  link: Partial<Libp2pLinkInit> = {},
  node: Partial<LocalNodeInit<Record<string, unknown>>> = {},
  open = true,
): Promise<LinkedNode> {
  let components: LinkComponents | undefined
  const capture = (given: unknown): object => {
    components = given as LinkComponents
    return {}
  }
  const libp2p = cleanup.add(await localNode({ ...node, services: { capture } as never }))
  const opened = new Libp2pLink(components as LinkComponents, { network: 'test', overlay: 'ring', epoch: 1, ...link })
  cleanup.defer(() => opened.close())
  const recorder = new Recorder()
  if (open) await opened.open(recorder)
  return { libp2p, link: opened, recorder }
}

/** Text as a frame, and back. */
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
