import {
  WireError,
  bool,
  bytes,
  choice,
  decode,
  encode,
  guid,
  message,
  nested,
  nodeRef,
  optional,
  repeated,
  string,
  uint32,
  uint53,
  union,
} from '@plaxton/wire'
import type { RefReader } from '@plaxton/kbr'
import type { Schema } from '@plaxton/wire'
import { claimSchema, maxClaimBytes, maxClaims, recordSchema } from './claims.ts'
import type { Claim } from './claims.ts'
import { bucketCount, maxEntries, maxExcluded, maxHolders, maxPages, refusalCodes } from './messages.ts'
import type { PastMessage } from './messages.ts'

/** The bytes of a message between PAST nodes. */
export function encodeMessage(body: PastMessage): Uint8Array {
  return encode(frameSchema, { version, body })
}

/**
 * The message in `payload`; throws `WireError`, and nothing else, when there is none. Data and keys in it are views of `payload`. Nodes that `refs` does
 * not vouch for are left out of lists, and a message that is about one of them is none.
 */
export function decodeMessage(payload: Uint8Array, refs: RefReader = believe): PastMessage {
  const frame = decode(frameSchema, payload, { ref: refs, guidBytes, maxBytes: maxMessageBytes })
  if (frame.version !== version) throw new WireError('value', 'PastFrame.version', `version ${frame.version} instead of ${version}`)
  return frame.body
}

/** What stands on disk beside an object's bytes. */
export function encodeRecord(claims: readonly Claim[]): Uint8Array {
  return encode(recordSchema, { claims })
}

/** The claims in what a node's disk holds under `r/<guid>`. Throws `WireError`, and nothing else, when there are none to be read. */
export function decodeRecord(record: Uint8Array): readonly Claim[] {
  return decode(recordSchema, record, { guidBytes }).claims
}

const believe: RefReader = (id, address, epoch) => ({ id, address, epoch })
/** Version of the format. Messages of another are refused. */
const version = 1
/** All guids in PAST are SHA-256 digests. */
const guidBytes = 32
/** No configuration allows larger objects. */
const maxDataBytes = 1024 * 1024
/** One object with all its claims, and 4 KiB for what surrounds it; below what a routing payload may have by default. */
export const maxMessageBytes = maxDataBytes + maxClaims * maxClaimBytes + 4096
const maxDetailBytes = 1024

const claims = repeated(nested(1, claimSchema), { max: maxClaims })
const holders = (number: number) => repeated(nodeRef(number), { max: maxHolders })

const entrySchema = message('Entry', { guid: guid(1), version: uint53(2), replicas: uint32(3) })
const entries = (number: number) => repeated(nested(number, entrySchema), { max: maxEntries })
const pageSchema = message('Page', { bucket: uint32(1), after: optional(guid(2)), last: bool(3), entries: entries(4) })

/** What travels between PAST nodes. */
export const frameSchema: Schema<{ readonly version: number; readonly body: PastMessage }> = message('PastFrame', {
  version: uint32(1),
  body: nested(
    2,
    union('PastMessage', 'type', {
      put: nested(
        1,
        message('Put', { claim: nested(1, claimSchema), data: bytes(2, { max: maxDataBytes }), quorum: choice(3, ['majority', 'all']) }),
      ),
      where: nested(2, message('Where', { replicas: uint32(1) })),
      get: nested(
        3,
        message('Get', { want: choice(1, ['data', 'presence']), excluded: repeated(guid(2), { max: maxExcluded }), hurry: bool(3) }),
      ),
      remove: nested(4, message('Remove', { ownerKey: bytes(1, { length: 32 }), removed: uint53(2), signature: bytes(3, { length: 64 }) })),
      inspect: nested(5, message('Inspect', { ensure: choice(1, ['no', 'own', 'given']), replicas: uint32(2) })),
      store: nested(6, message('Store', { claims, guid: guid(2), data: optional(bytes(3, { max: maxDataBytes })) })),
      fetch: nested(7, message('Fetch', { guid: guid(1), withData: bool(2) })),
      compare: nested(8, message('Compare', { digest: uint53(1), count: uint32(2) })),
      exchange: nested(
        9,
        message('Exchange', {
          pages: repeated(nested(1, pageSchema), { max: maxPages }),
          offers: entries(2),
          without: repeated(guid(3), { max: maxExcluded }),
        }),
      ),
      cache: nested(10, message('Cache', { guid: guid(1), forMs: uint53(2), data: bytes(3, { max: maxDataBytes }) })),

      receipt: nested(16, message('Receipt', { holders: holders(1), wanted: uint32(2), quorum: uint32(3) })),
      refusal: nested(
        17,
        message('Refusal', {
          code: choice(1, refusalCodes),
          detail: string(2, { max: maxDetailBytes }),
          stamp: uint53(3),
          stored: uint32(4),
          needed: uint32(5),
          transient: bool(6),
        }),
      ),
      here: nested(18, message('Here', { node: nodeRef(1), replicaSet: holders(2) })),
      object: nested(
        19,
        message('Object', { claims, holder: nodeRef(2), data: optional(bytes(3, { max: maxDataBytes })), settled: bool(4) }),
      ),
      absent: nested(20, message('Absent', { removed: bool(1), silent: uint32(2), certain: bool(3) })),
      inspection: nested(21, message('Inspection', { size: uint53(1), wanted: uint32(2), holders: holders(3), expires: uint53(4) })),
      stored: nested(
        22,
        message('Stored', { claims, outcome: choice(2, ['kept', 'needs data', 'refused']), detail: string(3, { max: maxDetailBytes }) }),
      ),
      buckets: nested(23, message('Buckets', { digests: repeated(uint53(1), { max: bucketCount }) })),
      exchanged: nested(24, message('Exchanged', { entries: entries(1), held: repeated(guid(2), { max: maxEntries }), leaving: bool(3) })),
    }),
  ),
})
