import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { Then } from './errands.ts'
import { transferMs } from './parts.ts'
import type { PastParts } from './parts.ts'
import type { Data } from './shelf.ts'

/** An object's data from the first of `holders`, this node possibly among them, that gives the right ones; undefined when none does. */
export function obtain(
  parts: PastParts,
  guid: Guid,
  digest: Guid,
  holders: readonly NodeRef[],
  now: Millis,
  fx: AppEffects,
  then: Then<Data | undefined>,
): void {
  const [holder, ...rest] = holders
  if (holder === undefined) return then(undefined, now, fx)
  const onData = (bytes: Uint8Array | undefined, time: Millis, effects: AppEffects): void => {
    if (bytes !== undefined && guidOf(bytes) === digest) then({ bytes, digest }, time, effects)
    else obtain(parts, guid, digest, rest, time, effects, then)
  }
  const { shelf, errands, config } = parts
  if (sameNode(holder, fx.self)) return shelf.read(guid, fx, (data, time, effects) => onData(data?.bytes, time, effects))
  const withinMs = config.replicaMs + transferMs(config.maxObjectBytes, config)
  errands.request(holder, { type: 'fetch', guid, withData: true }, withinMs, fx, (answered, time, effects) =>
    onData(answered.ok && answered.message.type === 'object' ? answered.message.data : undefined, time, effects),
  )
}
