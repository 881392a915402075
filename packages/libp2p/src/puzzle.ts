import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer, guidToBytes, sha256 } from '@plaxton/guid'
import { InvalidValueError } from '@plaxton/kbr'
import type { PrivateKey } from '@libp2p/interface'
import type { AbortSignalLike } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'

/**
 * S/Kademlia's static crypto puzzle (Baumgart and Mies, ICPADS 2007, §4.1), for any overlay: the hash of a node's id must start with c1 zero bits. The id is a hash of the public key, so
 * whoever wants an id near some key has to make 2^c1 times as many keys. All nodes of a network must agree on c1, for ever. It makes ids dear once, not each time one is used; and
 * who has many machines pays with these.
 */

/** More cannot be solved in a day on one machine. */
export const puzzleBitsMax = 32

/** Whether the id of a host, the SHA-256 of its PeerId, solves a puzzle of so many bits. */
export function solvesPuzzle(id: Guid, puzzleBits: number): boolean {
  if (puzzleBits === 0) return true
  const digest = sha256(guidToBytes(id))
  let zeros = 0
  for (const byte of digest) {
    zeros += Math.clz32(byte) - 24
    if (byte !== 0) break
  }
  return zeros >= puzzleBits
}

/** Throws `InvalidValueError` for a number of bits out of range. */
export function checkPuzzleBits(puzzleBits: number): void {
  if (Number.isInteger(puzzleBits) && puzzleBits >= 0 && puzzleBits <= puzzleBitsMax) return
  throw new InvalidValueError('puzzleBits', puzzleBits, `a whole number from 0 to ${puzzleBitsMax}`)
}

/** An Ed25519 key whose id solves the puzzle: 2^puzzleBits tries on average. Rejects with the signal's reason. */
export async function generatePuzzleKey(puzzleBits: number, { signal }: { readonly signal?: AbortSignalLike } = {}): Promise<PrivateKey> {
  checkPuzzleBits(puzzleBits)
  for (let tries = 1; ; tries++) {
    if (signal?.aborted === true) throw signal.reason
    const key = await generateKeyPair('Ed25519')
    if (solvesPuzzle(guidOfPeer(peerIdFromPrivateKey(key)), puzzleBits)) return key
    // Others have their turn now and then.
    if (tries % triesPerTurn === 0) await new Promise((resolve) => setTimeout(resolve, 0))
  }
}

/** Some milliseconds. */
const triesPerTurn = 64
