import { WireError, decode, encode, message, nodeRef, refine, string, uint32 } from '@plaxton/wire'
import { LinkProtocolError } from './errors.ts'
import type { NodeRef, RefReader } from '@plaxton/kbr'

/** The first frame on every stream: who speaks, and in which network. */
export interface Hello {
  readonly network: string
  readonly overlay: string
  /** The sender as others reach it. The receiver checks its id against the PeerId that the connection has proven. */
  readonly node: NodeRef
}

/** The version of the frames that follow. Another one is refused; it would also have another protocol id. */
const version = 1

/** A `NodeRef` with the longest address, and two names. */
const maxHelloBytes = 2048

/** The first frame of every stream. */
export const helloSchema = message('Hello', {
  version: refine(uint32(1), (value) => (value === version ? value : undefined)),
  network: string(2, { max: 32 }),
  overlay: string(3, { max: 32 }),
  node: nodeRef(4),
})

export function encodeHello(hello: Hello): Uint8Array {
  return encode(helloSchema, { version, ...hello })
}

/** Throws {@link LinkProtocolError} for anything but a hello of this version whose node `readRef` accepts. */
export function decodeHello(bytes: Uint8Array, readRef: RefReader): Hello {
  try {
    return decode(helloSchema, bytes, { ref: readRef, maxBytes: maxHelloBytes, guidBytes: 32 })
  } catch (error) {
    if (error instanceof WireError) throw new LinkProtocolError(`bad hello: ${error.message}`)
    throw error
  }
}
