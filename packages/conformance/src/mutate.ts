import type { Prng } from '@plaxton/kbr'

/** `bytes` with a few changed, cut off, repeated or taken from `other`: what bad memory, bad luck or bad will make of a message. */
export function mutate(prng: Prng, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let changed: Uint8Array = bytes.slice()
  for (let times = 1 + prng.nextInt(3); times > 0; times--) changed = changeOnce(prng, changed, other)
  return changed
}

export function randomBytes(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.nextInt(256))
}

function changeOnce(prng: Prng, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = prng.nextInt(bytes.length + 1)
  const rest = bytes.subarray(at)
  switch (prng.nextInt(6)) {
    case 0: // One byte is another.
      return bytes.map((byte, i) => (i === at ? prng.nextInt(256) : byte))
    case 1: // One bit is another.
      return bytes.map((byte, i) => (i === at ? byte ^ (1 << prng.nextInt(8)) : byte))
    case 2: // The end is missing.
      return bytes.slice(0, at)
    case 3: // A few bytes too many.
      return Uint8Array.from([...bytes.subarray(0, at), ...randomBytes(prng, 1 + prng.nextInt(8)), ...rest])
    case 4: // A number as large as numbers get, where perhaps a length was.
      return Uint8Array.from([...bytes.subarray(0, at), 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, ...rest.subarray(1)])
    default: // The head of one message and the tail of another.
      return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(prng.nextInt(other.length + 1))])
  }
}
