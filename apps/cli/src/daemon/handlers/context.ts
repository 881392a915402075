import { isGuid } from '@plaxton/guid'
import { NotReadyError } from '@plaxton/kbr'
import { addressesOf } from '@plaxton/libp2p'
import { text } from './arguments.ts'
import type { NodeRef } from '@plaxton/kbr'
import type { Call } from '../../control/server.ts'
import type { NodeView } from '../../control/protocol.ts'
import type { Catalog } from '../catalog.ts'
import type { DaemonConfig } from '../config.ts'
import type { Objects } from '../objects.ts'
import type { PlaxtonNode } from '../plaxton-node.ts'

/** What handlers work with. */
export interface Context {
  readonly node: PlaxtonNode
  readonly catalog: Catalog
  readonly objects: Objects
  readonly config: DaemonConfig
  readonly version: string
}

/** A command that needs the network waits this long for the node to become a member. Our choice: longer than a join takes. */
const readyWithinMs = 10_000

/** Resolves when the node is a member; rejects with `NotReadyError` when that takes too long. */
export async function whenReady({ node }: Context, signal: AbortSignal): Promise<void> {
  if (node.overlay.ready) return
  const patience = AbortSignal.timeout(readyWithinMs)
  try {
    await node.overlay.whenReady({ signal: AbortSignal.any([signal, patience]) })
  } catch (error) {
    if (!patience.aborted || signal.aborted) throw error
    throw new NotReadyError('the daemon has not joined its network yet: try again, and look whether a node at its --bootstrap address runs')
  }
}

/** The CID, with the path if there is one, of the file or directory a call names by a CID or a guid in hex. */
export async function rootIn({ node, catalog }: Context, call: Call): Promise<string> {
  const named = text(call.arguments, 'root')
  const [first = '', ...path] = named.split('/')
  const guid = first.toLowerCase()
  if (!isGuid(guid)) return named
  const cid = catalog.get(guid)?.cid ?? (await node.files().identify(guid, { signal: call.signal })).toString()
  return [cid, ...path].join('/')
}

export function viewOf(node: NodeRef): NodeView {
  return { id: node.id, addresses: addressesOf(node) }
}

/** Says yes at most once in `ms`. */
export function atMostEvery(ms: number): () => boolean {
  let last = -Infinity
  return () => {
    const now = performance.now()
    if (now - last < ms) return false
    last = now
    return true
  }
}

/** Between two reports of progress: more often nobody can see. */
export const progressEveryMs = 100
