import { InvalidValueError } from '@plaxton/kbr'
import type { Millis, Prng } from '@plaxton/kbr'

/** How long nodes stay. */
export interface SessionLengths {
  readonly name: string
  readonly meanMs: Millis
  draw(prng: Prng): Millis
}

/** Memoryless: whoever has stayed long is as likely to go as who has just come. MSPastry's Poisson traces (DSN 2004). */
export function exponentialSessions(meanMs: Millis): SessionLengths {
  return { name: 'exponential', meanMs, draw: (prng) => whole(prng.nextExponential(meanMs)) }
}

/**
 * Heavy-tailed: many short sessions and some very long ones, as measured in file-sharing networks; whoever has stayed long will stay longer, which Kademlia builds on. `shape` above 1; near 1 the
 * tail is so heavy that a run never sees the mean.
 */
export function paretoSessions(meanMs: Millis, shape: number): SessionLengths {
  if (!(shape > 1)) throw new InvalidValueError('shape', shape, 'more than 1')
  const least = (meanMs * (shape - 1)) / shape
  return { name: `Pareto ${shape}`, meanMs, draw: (prng) => whole(least * (1 - prng.nextFloat()) ** (-1 / shape)) }
}

/** Those of a trace: one length in seconds on a line, each as likely as the others; a line that begins with `#` is a comment. */
export function tracedSessions(text: string): SessionLengths {
  const lines = text.split('\n').map((line) => line.trim())
  const lengths = lines.filter((line) => line !== '' && !line.startsWith('#')).map(Number)
  const odd = lengths.find((seconds) => !(seconds > 0))
  if (lengths.length === 0 || odd !== undefined) throw new InvalidValueError('session', odd, 'a number of seconds above 0 on each line')
  const meanMs = whole((1000 * lengths.reduce((sum, seconds) => sum + seconds, 0)) / lengths.length)
  return { name: `traced, ${lengths.length} lengths`, meanMs, draw: (prng) => whole(1000 * prng.pick(lengths)!) }
}

/** At least one millisecond. */
function whole(ms: number): Millis {
  return Math.max(1, Math.round(ms))
}
