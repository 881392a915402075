import type { Estimate } from './comparison.ts'
import type { FigureForm } from './figures.ts'
import { recoveredByMs } from './mass-failure.ts'

/** How a value of some size is written; its deviation is written with the same decimals. */
interface Writing {
  readonly sign: string
  readonly perValue: number
  readonly decimals: number
}

/** Mean and deviation, as a person reads them. A time that no seed has is one that was waited for in vain. */
export function formatEstimate({ mean, deviation }: Pick<Estimate, 'mean' | 'deviation'>, form: FigureForm): string {
  if (mean === null) return form === 'seconds' ? `> ${recoveredByMs / 1000} s` : 'none'
  const { sign, perValue, decimals } = writingOf(mean, form)
  const spread = deviation === null ? '' : ` ± ${(deviation * perValue).toFixed(decimals)}`
  return `${(mean * perValue).toFixed(decimals)}${spread}${sign}`
}

/** A number on an axis that ends at `end`, in the unit of that; the last one says which. */
export function formatTick(value: number, end: number, form: FigureForm): string {
  const { perValue, sign } = writingOf(end, form)
  return `${Number((value * perValue).toPrecision(6))}${value === end ? sign : ''}`
}

function writingOf(value: number, form: FigureForm): Writing {
  switch (form) {
    case 'count':
      return { sign: '', perValue: 1, decimals: value < 10 && !Number.isInteger(value) ? 1 : 0 }
    case 'ratio':
      return { sign: '', perValue: 1, decimals: threeDigits(value) }
    case 'share':
      return { sign: ' %', perValue: 100, decimals: value > 0.99 && value < 1 ? 2 : 1 }
    case 'milliseconds':
      return { sign: ' ms', perValue: 1, decimals: 0 }
    case 'seconds':
      return { sign: ' s', perValue: 0.001, decimals: 1 }
    case 'bytes':
      return value < 1000
        ? { sign: ' B', perValue: 1, decimals: threeDigits(value) }
        : { sign: ' kB', perValue: 0.001, decimals: threeDigits(value / 1000) }
  }
}

/** Decimals that make three significant digits of a value from .1 on. */
function threeDigits(value: number): number {
  return value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
}
