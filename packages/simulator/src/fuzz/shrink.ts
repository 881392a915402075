import type { Scenario, ScenarioEvent } from './scenario.ts'
import { hostsOf, serviceOf } from './run.ts'

/**
 * A smaller scenario that still fails. Big pieces are taken away first: a service with its commands, all events of one kind, a host with all that is done to it; then runs of
 * events, half of them at first and single ones at last (delta debugging; Zeller and Hildebrandt, TSE 2002); and what is odd about the network. `fails` runs a scenario;
 * it is called at most `tries` times.
 */
export function shrink(scenario: Scenario, fails: (candidate: Scenario) => boolean, tries: number): Scenario {
  let best = scenario
  let left = tries
  const attempt = (candidate: Scenario): boolean => {
    if (left === 0 || candidate.events.length === 0) return false
    left--
    if (!fails(candidate)) return false
    best = candidate
    return true
  }
  const keep = (wanted: (event: ScenarioEvent) => boolean): void => {
    const events = best.events.filter(wanted)
    if (events.length < best.events.length) attempt({ ...best, events })
  }
  for (let before = Infinity; best.events.length < before && left > 0;) {
    before = best.events.length
    for (const service of ['past', 'dolr'] as const) attemptWithout(service)
    for (const verb of new Set(best.events.map((event) => event.verb))) keep((event) => event.verb !== verb)
    for (const host of new Set(best.events.flatMap(hostsOf))) keep((event) => !hostsOf(event).includes(host))
    reduceList(best.events, (events) => attempt({ ...best, events }))
  }
  simplify()
  return best

  function attemptWithout(service: 'past' | 'dolr'): void {
    if ((service === 'past' ? best.replicas : best.dolr) === undefined) return
    const events = best.events.filter((event) => serviceOf(event) !== service)
    attempt({ ...best, events, ...(service === 'past' ? { replicas: undefined } : { dolr: undefined }) })
  }

  function simplify(): void {
    if (best.encode) attempt({ ...best, encode: false })
    if (best.topology !== 'uniform 10 ms') attempt({ ...best, topology: 'uniform 10 ms' })
    if (best.noticeMs !== undefined) attempt({ ...best, noticeMs: undefined })
    const whole = best.events.map((event) => ({ ...event, at: 1000 * Math.round(event.at / 1000) }))
    attempt({ ...best, events: whole })
  }
}

/** Takes runs of items out of the list as long as `accept` accepts what is left: runs of half the list first, single items last. */
export function reduceList<T>(items: readonly T[], accept: (rest: readonly T[]) => boolean): readonly T[] {
  let kept = items
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < kept.length;) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (rest.length > 0 && accept(rest)) kept = rest
      else start += size
    }
  }
  return kept
}
