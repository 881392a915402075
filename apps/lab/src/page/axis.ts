/** An axis from 0 to a round number at or above `largest`, with round numbers in between: four to eight of them. */
export interface Axis {
  readonly end: number
  readonly ticks: readonly number[]
}

export function axisTo(largest: number): Axis {
  if (!(largest > 0)) return { end: 1, ticks: [0, 1] }
  const magnitude = 10 ** Math.floor(Math.log10(largest))
  const step = [0.1, 0.2, 0.25, 0.5, 1, 2].map((factor) => factor * magnitude).find((candidate) => largest / candidate <= mostSteps)!
  const steps = Math.ceil(largest / step - 1e-9)
  // Multiplied rather than added up, so that no rounding error shows in a label.
  return {
    end: Number((steps * step).toPrecision(12)),
    ticks: Array.from({ length: steps + 1 }, (_, i) => Number((i * step).toPrecision(12))),
  }
}

const mostSteps = 5
