import { readFileSync } from 'node:fs'
import {
  canTransitStub,
  chordTransitStub,
  cube,
  diurnal,
  paretoSessions,
  plane,
  rttMatrix,
  shortTransitStub,
  tracedSessions,
  transitStub,
} from '../src/index.ts'
import type { Realism, TopologyFactory } from '../src/index.ts'

/** The options of the command line that make a run more like the world. */
export const realismOptions = {
  topology: { type: 'string' },
  bandwidth: { type: 'string' },
  jitter: { type: 'string' },
  sessions: { type: 'string' },
  diurnal: { type: 'string' },
  day: { type: 'string' },
  'flash-crowd': { type: 'string' },
  'domain-failures': { type: 'string' },
  drift: { type: 'string' },
  slow: { type: 'string' },
} as const

export const realismUsage = `          --topology transit-stub (CAN paper's links), transit-stub-short, transit-stub-chord, plane, cube, or a FILE with a matrix of round trips in ms
          --bandwidth 16,64 (kB/s up and down for each host; queues of a second)   --jitter 30 (ms, at most)   --slow 0.05,500 (share of the hosts, ms)
          --sessions pareto:1.5 (shape; the mean is --session), or a FILE with a length in seconds on each line; default exponential
          --diurnal 0.5 (more newcomers by day, fewer by night)   --day 1440 (minutes)   --flash-crowd 1 (share of the network that comes at once)
          --domain-failures 2 (stub domains that die as a whole)   --drift 0.001 (of time, each clock at most)`

type Values = { readonly [Name in keyof typeof realismOptions]?: string | undefined }

/** What the options say; `number` reads one or ends the program. */
export function realismOf(
  values: Values,
  sessionMinutes: number,
  number: (name: string, text: string | undefined, otherwise: number) => number,
): Realism {
  const { topology, bandwidth, jitter, sessions, drift, slow } = values
  const [up, down] = (bandwidth ?? '').split(',')
  const [share, ms] = (slow ?? '').split(',')
  return {
    ...(topology === undefined ? {} : { topology: (topologies[topology] ?? (() => rttMatrix(readFileSync(topology, 'utf8'))))() }),
    ...(bandwidth === undefined
      ? {}
      : { accessLinks: { up: 1000 * number('bandwidth', up, 1), down: 1000 * number('bandwidth', down ?? up, 1), queueMs: 1000 } }),
    ...(jitter === undefined ? {} : { jitterMs: number('jitter', jitter, 0) }),
    ...(sessions === undefined ? {} : { sessions: sessionsOf(sessions, sessionMinutes, number) }),
    ...(values.diurnal === undefined
      ? {}
      : { wave: diurnal(number('diurnal', values.diurnal, 0), 60_000 * number('day', values.day, 1440)) }),
    flashCrowd: number('flash-crowd', values['flash-crowd'], 0),
    domainFailures: number('domain-failures', values['domain-failures'], 0),
    traits: {
      ...(drift === undefined ? {} : { drift: number('drift', drift, 0) }),
      ...(slow === undefined ? {} : { slow: { share: number('slow', share, 0), ms: number('slow', ms, 1000) } }),
    },
  }
}

const topologies: Readonly<Record<string, () => TopologyFactory>> = {
  'transit-stub': () => transitStub(canTransitStub),
  'transit-stub-short': () => transitStub(shortTransitStub),
  'transit-stub-chord': () => transitStub(chordTransitStub),
  plane,
  cube,
}

function sessionsOf(text: string, minutes: number, number: (name: string, text: string | undefined, otherwise: number) => number) {
  const [kind, shape] = text.split(':')
  return kind === 'pareto' ? paretoSessions(60_000 * minutes, number('sessions', shape, 1.5)) : tracedSessions(readFileSync(text, 'utf8'))
}
