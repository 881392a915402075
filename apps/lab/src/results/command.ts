import { parseArgs } from 'node:util'
import type { Streams } from '../lab.ts'
import { resultsFolder, writePage } from './kept.ts'

/** `page`: the page of all results that are kept, written anew. */
export function pageCommand(args: readonly string[], { stdout }: Streams): boolean {
  const { values } = parseArgs({ args: [...args], options: { out: { type: 'string', default: resultsFolder } } })
  stdout.write(`${writePage(values.out)}\n`)
  return true
}
