import { commonRuns } from '@plaxton/simulator'
import type { Listing } from '@plaxton/simulator'
import { parseArgs } from 'node:util'
import { commands } from '../commands.ts'
import type { Streams } from '../lab.ts'
import { allExperiments } from '../run/experiments.ts'

/** `list`: everything that can be run, from the tables that the commands themselves are found in. */
export function listCommand(args: readonly string[], { stdout }: Streams): boolean {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } })
  const all = listings()
  stdout.write(values.json ? `${JSON.stringify(all, undefined, 2)}\n` : render(all))
  return true
}

interface Listed extends Listing {
  /** What to type in the repository. */
  readonly command: string
}

function listings(): Listed[] {
  const pick = (command: string, { says, paper, setup, messages }: Listing): Listed => ({ command, says, paper, setup, messages })
  return [
    ...Object.entries(commands).flatMap(([word, { listing }]) => (listing === undefined ? [] : [pick(`npm run lab -- ${word}`, listing)])),
    ...Object.entries(commonRuns).map(([word, listing]) => pick(`npm run simulate -- ${word}`, listing)),
    ...allExperiments().map(({ name, experiment }) => pick(`npm run lab -- run ${name}`, experiment)),
  ]
}

function render(all: readonly Listed[]): string {
  const blocks = all.map(({ command, says, paper, setup, messages }) =>
    [command, `    ${says}`, `    paper  ${paper}`, `    setup  ${setup}`, `    cost   ${describeCost(messages)}`].join('\n'),
  )
  return `${blocks.join('\n')}\n\nSizes are those without options; costs are powers of ten.\n`
}

/** Messages that nodes handle, in words. */
export function describeCost(messages: number): string {
  if (messages === 0) return 'no messages'
  return messages < 1e6 ? `about ${messages / 1000},000 messages` : `about ${messages / 1e6} million messages`
}
