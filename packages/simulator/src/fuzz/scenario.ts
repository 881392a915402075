import { InvalidValueError } from '@plaxton/kbr'
import type { Millis } from '@plaxton/kbr'
import { mixTopologies } from '../mix-plan.ts'
import type { MixTopology } from '../mix-plan.ts'
import type { DolrSettings } from '../dolr-service.ts'
import { verbs } from './verbs.ts'
import type { Verb } from './verbs.ts'

/** Something that is done to the network at one moment. */
export interface ScenarioEvent {
  /** Virtual milliseconds from the start. */
  readonly at: Millis
  readonly verb: Verb
  /** What the verb asks for, in its order: hosts and objects are numbers. */
  readonly args: readonly number[]
}

/**
 * One run as data: whatever is not written here follows from the seed. It has a text form of one line, {@link printScenario}, that can be read, shortened by hand
 * and run again.
 */
export interface Scenario {
  readonly seed: number
  readonly topology: MixTopology
  /** As in `NetworkConfig`; undefined: silence. */
  readonly noticeMs: Millis | undefined
  /** Every message as bytes. */
  readonly encode: boolean
  /** Copies of each object in PAST; undefined: the nodes have no PAST. */
  readonly replicas: number | undefined
  /** undefined: the nodes have no DOLR. */
  readonly dolr: DolrSettings | undefined
  /** In the order of their times. Whoever is to start, starts by an event. */
  readonly events: readonly ScenarioEvent[]
}

/** `seed 17; on plane; notice 200; past 5; 0 start 0; 1.5 start 1; 20 crash 1`: settings, then events with their times in seconds. */
export function printScenario({ seed, topology, noticeMs, encode, replicas, dolr, events }: Scenario): string {
  return [
    `seed ${seed}`,
    `on ${topology}`,
    ...(noticeMs === undefined ? [] : [`notice ${noticeMs}`]),
    ...(encode ? ['encode'] : []),
    ...(replicas === undefined ? [] : [`past ${replicas}`]),
    ...(dolr === undefined ? [] : [`dolr ${dolrFields.map((field) => dolr[field]).join(' ')}`]),
    ...events.map(({ at, verb, args }) => [at / 1000, verb, ...args].join(' ')),
  ].join('; ')
}

const dolrFields = ['choose', 'roots', 'republishMs', 'nearBackups', 'nearNeighbors', 'nearHops'] as const

/** The opposite of {@link printScenario}. Throws {@link InvalidValueError} naming the part that is not understood. */
export function parseScenario(text: string): Scenario {
  const parts = text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const settings = new Map(parts.filter((part) => !/^[\d.]/.test(part)).map((part) => [part.split(' ', 1)[0]!, part]))
  const wordsOf = (name: string): string[] | undefined => settings.get(name)?.split(/\s+/).slice(1)
  const unknown = [...settings.keys()].find((name) => !['seed', 'on', 'notice', 'encode', 'past', 'dolr'].includes(name))
  if (unknown !== undefined) throw new InvalidValueError('setting', unknown, 'seed, on, notice, encode, past or dolr')
  const topology = wordsOf('on')?.join(' ') ?? 'uniform 10 ms'
  if (!Object.hasOwn(mixTopologies, topology)) throw new InvalidValueError('on', topology, Object.keys(mixTopologies).join(' or '))
  const notice = wordsOf('notice')?.[0]
  const past = wordsOf('past')?.[0]
  return {
    seed: numberIn(wordsOf('seed')?.[0] ?? '1', 'seed'),
    topology: topology as MixTopology,
    noticeMs: notice === undefined ? undefined : numberIn(notice, 'notice'),
    encode: settings.has('encode'),
    replicas: past === undefined ? undefined : numberIn(past, 'past'),
    dolr: parseDolr(wordsOf('dolr')),
    events: parts
      .filter((part) => /^[\d.]/.test(part))
      .map(parseEvent)
      .toSorted((a, b) => a.at - b.at),
  }
}

function parseDolr(words: readonly string[] | undefined): DolrSettings | undefined {
  if (words === undefined) return undefined
  const [choose, ...numbers] = words
  if (choose !== 'sender' && choose !== 'holder') throw new InvalidValueError('dolr', choose, 'sender or holder, then five numbers')
  const [roots, republishMs, nearBackups, nearNeighbors, nearHops] = dolrFields.slice(1).map((field, i) => numberIn(numbers[i], field))
  return {
    choose,
    roots: roots!,
    republishMs: republishMs!,
    nearBackups: nearBackups!,
    nearNeighbors: nearNeighbors!,
    nearHops: nearHops!,
  }
}

function parseEvent(part: string): ScenarioEvent {
  const [time, verb, ...words] = part.split(/\s+/)
  if (!Object.hasOwn(verbs, verb ?? '')) throw new InvalidValueError('verb', verb, Object.keys(verbs).join(', '))
  const wanted = verbs[verb as Verb].args
  const args = words.map((word) => numberIn(word, part))
  if (wanted.at(-1)?.endsWith('…') === true ? args.length === 0 : args.length !== wanted.length)
    throw new InvalidValueError('event', part, `${verb} ${wanted.join(' ')}`)
  return { at: Math.round(1000 * numberIn(time, part)), verb: verb as Verb, args }
}

function numberIn(word: string | undefined, where: string): number {
  const value = Number(word)
  if (word === undefined || word === '' || !Number.isFinite(value) || value < 0) throw new InvalidValueError(where, word, 'a number >= 0')
  return value
}
