import { compareGuids } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { sameNode } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import type { ClientConfig } from './config.ts'
import type { Errands, Then } from './errands.ts'
import type { AnswerOf } from './messages.ts'

/** A host as this client found it when it asked. */
export interface CheckedHost {
  readonly node: NodeRef
  /** What it said; undefined: nothing in time. */
  readonly said: AnswerOf<'held'> | undefined
  /** The round trip to it: measured just now, or else before; undefined: never. */
  readonly ms: Millis | undefined
}

/**
 * Asks hosts whether they have the object, all at once, and orders them by the round trips that this client measures doing so: step (2) of Napster's protocol.
 * Whoever takes more than twice as long as the `wanted`-th that has the object is not nearer, and not waited for.
 */
export function checkHosts(
  { config, errands }: { readonly config: ClientConfig; readonly errands: Errands },
  { guid, hosts, wanted }: { readonly guid: Guid; readonly hosts: readonly NodeRef[]; readonly wanted: number },
  now: Millis,
  fx: AppEffects,
  then: Then<readonly CheckedHost[]>,
): void {
  const checked = new Map<Guid, CheckedHost>()
  let over = false
  const end = (time: Millis, effects: AppEffects): void => {
    if (over) return
    over = true
    errands.forget(alarm)
    const all = hosts.map((node) => checked.get(node.id) ?? { node, said: undefined, ms: effects.roundTripMs(node) })
    then(all.sort(byDistance), time, effects)
  }
  let alarm = errands.later(config.checkMs, fx, (_, time, effects) => end(time, effects))
  if (hosts.length === 0) return end(now, fx)
  for (const node of hosts) {
    errands.request(node, { type: 'check', guid, id: 0 }, config.checkMs, fx, (answered, time, effects) => {
      if (over) return
      const said = answered.ok && answered.answer.type === 'held' ? answered.answer : undefined
      const took = sameNode(node, effects.self)
        ? 0
        : answered.ok
          ? Math.min(answered.elapsedMs, effects.roundTripMs(node) ?? Infinity)
          : undefined
      checked.set(node.id, { node, said, ms: took })
      if (checked.size === hosts.length) return end(time, effects)
      const having = [...checked.values()].filter((host) => host.said?.held === true).length
      if (said?.held !== true || having !== wanted) return
      errands.forget(alarm)
      alarm = errands.later(time - now, effects, (_, later, afterwards) => end(later, afterwards))
    })
  }
}

/** Those who answered first, by their distance; then the others, by what is known of theirs. */
function byDistance(a: CheckedHost, b: CheckedHost): number {
  const silence = Number(a.said === undefined) - Number(b.said === undefined)
  return silence || (a.ms ?? Infinity) - (b.ms ?? Infinity) || compareGuids(a.node.id, b.node.id)
}
