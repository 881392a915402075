// npm run peer -- FOLDER [ADDRESS…] --over central|pastry|…: shares a folder, searches by name, fetches into the folder, until Ctrl-C or Ctrl-D.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startPeer } from './node.ts'
import { fileNameOf, printable, readFolder } from './sharing.ts'
import { UsageError } from './usage.ts'
import type { FoundFile } from '@plaxton/central-index'
import type { Sharing } from './sharing.ts'

const usage =
  'usage: npm run peer -- FOLDER [ADDRESS…] --over central|pastry|tapestry|chord|kademlia|can; over central with the addresses of the index servers'

/** What the last search found; `get 2` is its second file. */
let found: readonly FoundFile[] = []

async function search(sharing: Sharing, text: string): Promise<void> {
  found = await sharing.search(text)
  if (found.length === 0) console.log('nothing found')
  for (const [i, { name, size, hosts }] of found.entries()) console.log(`${i + 1}. ${printable(name)}, ${size} bytes, offered by ${hosts}`)
}

async function get(sharing: Sharing, into: string, number: number): Promise<void> {
  const wanted = found[number - 1]
  if (wanted === undefined) return console.log('there is no such line')
  const { bytes } = await sharing.fetch(wanted.guid, { onProgress: ({ detail }) => console.log(`   ${printable(detail)}`) })
  const name = fileNameOf(wanted.name)
  // What is there is not overwritten.
  await writeFile(join(into, name), bytes, { flag: 'wx' })
  console.log(`fetched ${name}, ${bytes.length} bytes, and offered here from now on`)
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { over: { type: 'string', default: 'pastry' } }, allowPositionals: true })
  const [folder, ...addresses] = positionals
  if (folder === undefined || (values.over === 'central' && addresses.length === 0)) throw new UsageError(usage)
  const files = await readFolder(folder)
  const peer = await startPeer(values.over, addresses)
  if (peer.isAlone && addresses.length > 0)
    console.log('nobody answers there: this is the first peer of a new network, until somebody does')
  await peer.sharing.share(files)
  console.log(`${files.length} files shared over ${values.over}; this peer is at ${peer.addresses[0]}`)
  console.log('type words to search for, get N to fetch a file')
  const terminal = createInterface({ input: process.stdin })
  for await (const line of terminal) {
    const number = /^get (\d+)$/.exec(line.trim())?.[1]
    try {
      if (number !== undefined) await get(peer.sharing, folder, Number(number))
      else if (line.trim() !== '') await search(peer.sharing, line)
    } catch (error) {
      console.log(`that did not work: ${printable((error as Error).message)}`)
    }
  }
  await peer.stop()
}

/** What whoever called can mend: a message says enough. */
function isCallers(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return error instanceof UsageError || /^(ENOENT|ENOTDIR|EACCES|ERR_INVALID_VALUE|ERR_PARSE_ARGS)/.test(code)
}

try {
  await main()
} catch (error) {
  if (!isCallers(error)) throw error
  console.error(error.message)
  process.exitCode = 2
}
