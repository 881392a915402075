import { overlays } from '@plaxton/simulator'
import type { OverlayName } from '@plaxton/simulator'

/** The command line says something that cannot be done. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Names of overlays, separated by commas; all there are for `all`, and when nothing is said. */
export function overlayNames(text: string = 'all', option: string = 'overlays'): OverlayName[] {
  const known = Object.keys(overlays) as OverlayName[]
  return text === 'all' ? known : text.split(',').map((name) => oneOf(option, name, known))
}

export function oneOf<Name extends string>(option: string, name: string, allowed: readonly Name[]): Name {
  const found = allowed.find((known) => known === name)
  if (found === undefined) throw new UsageError(`--${option} is ${JSON.stringify(name)}, allowed is ${allowed.join(', ')}`)
  return found
}

/** `17`, or `1..5`. */
export function seedsOf(text: string | undefined): number[] {
  const parts = (text ?? '1').split('..')
  const first = wholeNumber('seeds', parts[0], 1, 0)
  const last = wholeNumber('seeds', parts[1], first, first)
  if (parts.length > 2 || last - first >= seedsMax)
    throw new UsageError(`--seeds is ${text}, allowed is one or a range of at most ${seedsMax}`)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

const seedsMax = 100

export function wholeNumber(option: string, text: string | undefined, otherwise: number, least: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (Number.isInteger(value) && value >= least) return value
  throw new UsageError(`--${option} is ${text}, allowed is a whole number from ${least} on`)
}
