import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Then } from './errands.ts'
import { transferMs } from './parts.ts'
import type { PastParts } from './parts.ts'
import type { Data } from './shelf.ts'

/** What is known of an object's data: their digest, and how many bytes they are. */
interface Wanted {
  readonly contentDigest: Guid
  readonly size: number
}

/**
 * An object's data from the first of `holders`, this node possibly among them, that gives the right ones; undefined when none does. A holder that has died since it was named is waited for no
 * longer than so much data can take.
 */
export function obtain(
  parts: PastParts,
  guid: Guid,
  wanted: Wanted,
  holders: readonly NodeRef[],
  now: Millis,
  fx: AppEffects,
  then: Then<Data | undefined>,
): void {
  const [holder, ...rest] = holders
  if (holder === undefined) return then(undefined, now, fx)
  const onData = (bytes: Uint8Array | undefined, time: Millis, effects: AppEffects): void => {
    const digest = wanted.contentDigest
    if (bytes !== undefined && guidOf(bytes) === digest) then({ bytes, digest }, time, effects)
    else obtain(parts, guid, wanted, rest, time, effects, then)
  }
  const { shelf, errands, config } = parts
  if (sameNode(holder, fx.self)) return shelf.read(guid, fx, (data, time, effects) => onData(data?.bytes, time, effects))
  const withinMs = config.replicaMs + transferMs(wanted.size, config)
  errands.request(holder, { type: 'fetch', guid, withData: true }, withinMs, fx, (answered, time, effects) =>
    onData(answered.ok && answered.message.type === 'object' ? answered.message.data : undefined, time, effects),
  )
}
