import { maxAddressLength } from '@plaxton/kbr'
import type { NodeRef, RefReader } from '@plaxton/kbr'
import { bool, bytes, choice, decode, encode, guid, message, nested, refine, repeated, string, uint32, uint53, union } from '@plaxton/wire'
import type { Field, Infer, Schema } from '@plaxton/wire'

/** Longest name of a file, in bytes of UTF-8: what file systems allow. */
export const maxNameBytes = 255
/** Most listings in one message. A client's whole list fits, so a list is never in pieces: 2,000 of 300 bytes are 600 KB. */
export const maxListings = 2_000
/** Words of a search, and the longest, in bytes of UTF-8. */
export const maxQueryWords = 8
export const maxWordBytes = 64
/** Files in the answer to a search. */
export const maxFound = 100
/** Hosts in the answer to a location request. */
export const maxHosts = 16
/** Hosts that are not to be named again in that answer: as many as one command tries. */
export const maxExcluded = 64
/** Index servers of one network. */
export const maxServers = 8
/** Longest message to an object and longest answer, in bytes: a block, as in DOLR. */
export const maxPayloadBytes = 1_048_576
/** Longest piece of a file, in bytes. */
export const maxPieceBytes = 262_144
/** Longest sentence, in bytes of UTF-8. */
export const maxDetailBytes = 1_024
/**
 * Versions of a list begin with the client's clock in milliseconds. One further ahead than this is refused: it could never be replaced by a true one. A clock is
 * seldom off by more than a day.
 */
export const maxVersionAhead = 86_400_000
/** Changes in one message between servers; see `Replication`. */
export const maxUpdates = 256

/** A node, to be judged with what it stands in. */
const plainRef = message('Node', { id: guid(1), address: string(2, { max: maxAddressLength }), epoch: uint53(3) })

/** A part of a list that names a node: left out when the reference is not to be used, and the others stay. */
function judged<T extends { readonly node: NodeRef }>(number: number, schema: Schema<T>): Field<T, 'required'> {
  return refine(nested(number, schema), (part, { ref }) => {
    const { id, address, epoch } = part.node
    const node = ref === undefined ? part.node : ref(id, address, epoch)
    return node === undefined ? undefined : { ...part, node }
  })
}

/** Something a client offers: a file by its name, or an object that it hosts, whose name is empty. */
const listing = message('Listing', { guid: guid(1), name: string(2, { max: maxNameBytes }), size: uint53(3), answers: bool(4) })
export type Listing = Infer<typeof listing>

/** A round trip that a client has measured to an index server. Two clients with the same ones are likely to be near each other. */
const distance = message('Distance', { server: guid(1), ms: uint32(2) })
export type Distance = Infer<typeof distance>
const distances = (number: number) => repeated(nested(number, distance), { max: maxServers })

/**
 * One step in the history of a client's list, from version `from` to version `to`: all of it (`reset`), what has changed, or that the client is gone.
 * Client and servers, and servers among themselves, tell each other lists in these.
 */
const update = message('Update', {
  node: nested(1, plainRef),
  /** The server that the client has registered with. */
  home: guid(2),
  from: uint53(3),
  to: uint53(4),
  reset: bool(5),
  gone: bool(6),
  listed: repeated(nested(7, listing), { max: maxListings }),
  withdrawn: repeated(guid(8), { max: maxListings }),
  distances: distances(9),
})
export type Update = Infer<typeof update>

const found = message('Found', { guid: guid(1), name: string(2, { max: maxNameBytes }), size: uint53(3), hosts: uint32(4) })
/** A file that a search found: the name under which it matched, its size as its host says, and how many offer it. */
export type FoundFile = Infer<typeof found>

const host = message('Host', { node: nested(1, plainRef), name: string(2, { max: maxNameBytes }), size: uint53(3), answers: bool(4) })
/** One that offers an object, as the index knows it. */
export type IndexedHost = Infer<typeof host>

/** What one node asks another. The first five go to an index server, `feed` from one server to another, the rest from peer to peer. */
const call = union('IndexCall', 'type', {
  hello: nested(1, message('Hello', {})),
  register: nested(
    2,
    message('Register', {
      from: uint53(1),
      to: uint53(2),
      reset: bool(3),
      listed: repeated(nested(4, listing), { max: maxListings }),
      withdrawn: repeated(guid(5), { max: maxListings }),
      distances: distances(6),
    }),
  ),
  farewell: nested(3, message('Farewell', {})),
  search: nested(4, message('Search', { words: repeated(string(1, { max: maxWordBytes }), { max: maxQueryWords }), max: uint32(2) })),
  find: nested(5, message('Find', { guid: guid(1), max: uint32(2), excluded: repeated(guid(3), { max: maxExcluded }) })),

  feed: nested(
    6,
    message('Feed', {
      /** When the sender started: its log begins anew then. */
      incarnation: uint53(1),
      /** Positions in the sender's log before and after these updates. */
      begin: uint53(2),
      end: uint53(3),
      /** These are no part of the log but of all that the sender knows; `end` counts with the last part. */
      part: choice(4, ['log', 'first', 'middle', 'last', 'whole']),
      updates: repeated(judged(5, update), { max: maxUpdates }),
    }),
  ),

  check: nested(7, message('Check', { guid: guid(1), id: uint53(2) })),
  deliver: nested(8, message('Deliver', { guid: guid(1), id: uint53(2), payload: bytes(3, { max: maxPayloadBytes }) })),
  piece: nested(9, message('Piece', { guid: guid(1), offset: uint53(2), length: uint32(3) })),
})
export type IndexCall = Infer<typeof call>
export type CallOf<Type extends IndexCall['type']> = Extract<IndexCall, { readonly type: Type }>

const answer = union('IndexAnswer', 'type', {
  welcome: nested(1, message('Welcome', { clients: uint32(1) })),
  /** The version of the client's list that the server has; 0: none. */
  registered: nested(2, message('Registered', { version: uint53(1) })),
  found: nested(3, message('FoundFiles', { files: repeated(nested(1, found), { max: maxFound }) })),
  hosts: nested(4, message('Hosts', { hosts: repeated(judged(1, host), { max: maxHosts }) })),
  /** Up to where the log of the asker is known here, and of which incarnation; 0: of none. */
  fed: nested(5, message('Fed', { incarnation: uint53(1), position: uint53(2) })),
  held: nested(6, message('Held', { held: bool(1), answers: bool(2), size: uint53(3), pending: bool(4) })),
  outcome: nested(
    7,
    message('Outcome', {
      outcome: choice(1, ['answered', 'refused', 'declined']),
      detail: string(2, { max: maxDetailBytes }),
      payload: bytes(3, { max: maxPayloadBytes }),
    }),
  ),
  data: nested(8, message('Data', { size: uint53(1), bytes: bytes(2, { max: maxPieceBytes }) })),
})
export type IndexAnswer = Infer<typeof answer>
export type AnswerOf<Type extends IndexAnswer['type']> = Extract<IndexAnswer, { readonly type: Type }>

/** All that travels, for the `.proto` file. */
export const schemas = [call, answer] as const

export function encodeCall(value: IndexCall): Uint8Array {
  return encode(call, value)
}

/** Throws `WireError`, and nothing else, when `payload` is none. `refs` judges every node it names; those it refuses are left out. */
export function decodeCall(payload: Uint8Array, refs: RefReader): IndexCall {
  return decode(call, payload, { guidBytes: 32, maxBytes: maxMessageBytes, ref: refs })
}

export function encodeAnswer(value: IndexAnswer): Uint8Array {
  return encode(answer, value)
}

/** As {@link decodeCall}. */
export function decodeAnswer(payload: Uint8Array, refs: RefReader): IndexAnswer {
  return decode(answer, payload, { guidBytes: 32, maxBytes: maxMessageBytes, ref: refs })
}

/** One payload with 64 KiB for what surrounds it; a list of updates is kept below it. */
const maxMessageBytes = maxPayloadBytes + 65_536
