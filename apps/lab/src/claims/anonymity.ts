import type { Exhibit } from './exhibit.ts'

/** Nothing to measure yet. */
export function anonymity(): Exhibit {
  return {
    row: 'anonymity',
    claim: 'Who uses an address of IP can be found out. An overlay can hide, to a degree, who asks, who answers and what for.',
    findings: [],
    notBuilt: [
      'Nothing here hides who asks: a reply goes back the way the message came and no message names its source, but its first hop sees it, and hosts of objects learn who sends to them.',
    ],
  }
}
