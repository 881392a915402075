export { guidBits, guidOfPeer, guidOfVirtualNode, isGuid, parseGuid, randomGuid, shortGuid, virtualNodesLimit } from './guid.ts'
export type { Guid } from './guid.ts'
export { guidFromBytes, guidToBytes, readGuid, writeGuid } from './bytes.ts'
export { guidFromCid, guidToCid } from './cid.ts'
export { digitAt, digitCount, sharedPrefixBits, sharedPrefixDigits, withDigit } from './digits.ts'
export {
  addToGuid,
  clockwiseDistance,
  compareClockwise,
  compareGuids,
  compareOnRing,
  halfway,
  inClosedOpen,
  inOpen,
  inOpenClosed,
  isCloserOnRing,
  predecessorGuid,
  ringDistance,
  successorGuid,
} from './ring.ts'
export { compareByXor, isCloserByXor, xorDistance } from './xor.ts'
export { guidOf, sha256 } from './hash.ts'
export { InvalidGuidError } from './errors.ts'
