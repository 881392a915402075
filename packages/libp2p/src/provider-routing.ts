import { guidFromBytes, guidOf } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import { callOptions, peerInfo } from './routing-results.ts'
import type { ContentRouting, Provider, RoutingOptions } from '@libp2p/interface'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, NodeRef } from '@plaxton/kbr'

/** Of object location, what providers need. */
export interface ProviderIndex {
  /** Makes it known that this node has the content, until {@link withdraw}. */
  provide(guid: Guid, options: CallOptions): Promise<void>
  /** Takes back what {@link provide} made known; does nothing when it did not. */
  withdraw(guid: Guid, options: CallOptions): Promise<void>
  /** Nodes that have it, the nearest first. Rejects with `NotFoundError`. */
  providers(guid: Guid, options: CallOptions): Promise<readonly NodeRef[]>
}

/** Of a CID, what its guid is made from. */
interface Content {
  readonly multihash: { readonly code: number; readonly digest: Uint8Array; readonly bytes: Uint8Array }
}

/** libp2p's content routing on DOLR: `provide`, `cancelReprovide` and `findProviders`. Records are the business of storage: see `record-routing.ts`. */
export function providerRouting(index: ProviderIndex): Partial<ContentRouting> {
  return {
    provide: (cid: Content, options: RoutingOptions = {}) => index.provide(guidOfContent(cid), callOptions(options)),

    /** Withdraws as well: nobody is sent here for it any more. */
    cancelReprovide: (cid: Content, options: RoutingOptions = {}) => index.withdraw(guidOfContent(cid), callOptions(options)),

    /** The providers but this node, the nearest first; none when nobody provides it. */
    async *findProviders(cid: Content, options: RoutingOptions = {}): AsyncGenerator<Provider> {
      try {
        for (const node of await index.providers(guidOfContent(cid), callOptions(options))) yield { ...peerInfo(node), routing: 'plaxton' }
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
      }
    },
  }
}

/**
 * The guid of the content a CID names: the SHA-256 of its bytes where that is what the CID has, as everywhere in Plaxton, and the SHA-256 of the
 * multihash where it has another. The CID's version and codec do not matter: these are the same bytes.
 */
export function guidOfContent({ multihash: { code, digest, bytes } }: Content): Guid {
  return code === sha256Code && digest.length === 32 ? guidFromBytes(digest) : guidOf(bytes)
}

/** Multihash code of SHA-256. */
const sha256Code = 0x12
