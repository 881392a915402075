import type { NodeRef, RefReader } from '@plaxton/kbr'
import type { KeyPort, Link, LinkReceiver } from '@plaxton/runtime'
import type { Libp2pLink } from './libp2p-link.ts'

/** The link of a virtual node but the first, on the connections of its host. */
export class VirtualLink implements Link {
  private readonly host: Libp2pLink
  private readonly index: number

  constructor(host: Libp2pLink, index: number) {
    this.host = host
    this.index = index
  }

  get self(): NodeRef {
    return this.host.refOf(this.index)
  }

  get readRef(): RefReader {
    return this.host.readRef
  }

  /** That of the host, for all of its nodes. */
  key(): Promise<KeyPort> {
    return this.host.key()
  }

  isKeyOf(node: NodeRef, publicKey: Uint8Array): boolean {
    return this.host.isKeyOf(node, publicKey)
  }

  hostOf(node: NodeRef): string {
    return this.host.hostOf(node)
  }

  open(receiver: LinkReceiver): Promise<void> {
    return this.host.openNode(this.index, receiver)
  }

  send(to: NodeRef, frame: Uint8Array, patient = false): void {
    this.host.sendFrom(this.index, to, frame, patient)
  }

  keep(peers: readonly NodeRef[]): void {
    this.host.keepFor(this.index, peers)
  }

  close(): Promise<void> {
    return this.host.closeNode(this.index)
  }
}
