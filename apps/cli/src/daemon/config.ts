import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { DolrNode, dolrDefaults } from '@plaxton/dolr'
import { virtualNodesLimit } from '@plaxton/guid'
import { InvalidValueError, Prng } from '@plaxton/kbr'
import { puzzleBitsMax } from '@plaxton/libp2p'
import { PastNode, pastDefaults } from '@plaxton/past'
import { controlPath, defaultDataDirectory } from '../control/address.ts'
import { UsageError } from '../errors.ts'
import { defaultOverlay, overlayNamed, overlayNames } from '../overlays.ts'
import type { DolrConfig } from '@plaxton/dolr'
import type { OverlayFactory } from '@plaxton/kbr'
import type { PastConfig } from '@plaxton/past'
import type { OverlayName, Parameters } from '../overlays.ts'

/** What a daemon runs with. Paths are absolute. */
export interface DaemonConfig {
  readonly listen: readonly string[]
  readonly bootstrap: readonly string[]
  readonly data: string
  readonly control: string
  readonly network: string
  readonly overlay: OverlayFactory
  /** Nodes of the overlay on this host. */
  readonly virtualNodes: number
  /** Zero bits that the hash of each node's id must start with. */
  readonly puzzleBits: number
  readonly past: Partial<PastConfig>
  readonly dolr: Partial<DolrConfig>
}

/** What the command line says; it wins over the file. */
export interface DaemonFlags {
  readonly config?: string
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly data?: string
  readonly control?: string
  readonly network?: string
  readonly overlay?: string
  readonly virtualNodes?: number
  readonly puzzleBits?: number
}

/** Reachable from this computer only: to be reached from elsewhere is for its owner to decide. Port 0: a free one, and the same again after a restart. */
export const defaultListen = '/ip4/127.0.0.1/tcp/0'

/** The name of the network when nobody says another. */
export const defaultNetwork = 'default'

/**
 * Puts flags, configuration file and defaults together. Throws `UsageError` naming the file and the key, or the flag, that is wrong. What comes
 * out is right as a whole, so that nothing is made on disk for a node that could not start.
 */
export async function daemonConfig(flags: DaemonFlags): Promise<DaemonConfig> {
  const file: ConfigFile = flags.config === undefined ? {} : await readConfigFile(flags.config)
  const chosen = { ...file, ...defined(flags) }
  const name = chosen.overlay ?? defaultOverlay
  const kind = await overlayNamed(name)
  const data = resolve(chosen.data ?? defaultDataDirectory())
  return {
    listen: multiaddrs('listen', chosen.listen ?? [defaultListen]),
    bootstrap: multiaddrs('bootstrap', chosen.bootstrap ?? []),
    data,
    control: controlPath({ control: chosen.control, data }),
    network: networkName(chosen.network ?? defaultNetwork),
    overlay: kind.make(file[name as OverlayName]),
    virtualNodes: virtualNodes(chosen.virtualNodes ?? 1),
    puzzleBits: wholeWithin('puzzleBits', chosen.puzzleBits ?? 0, 0, puzzleBitsMax),
    past: file.past ?? {},
    dolr: file.dolr ?? {},
  }
}

/** The name of a network, as it goes into protocol ids. */
function networkName(name: string): string {
  if (/^[a-z0-9._-]{1,32}$/.test(name)) return name
  throw new UsageError(`network is ${JSON.stringify(name)}, allowed are 1 to 32 characters of a-z, 0-9, dot, dash and underscore`)
}

/** How many nodes one host may run is a bound of the ids. */
export function virtualNodes(count: number): number {
  return wholeWithin('virtualNodes', count, 1, virtualNodesLimit)
}

function wholeWithin(field: string, count: number, least: number, most: number): number {
  if (Number.isInteger(count) && count >= least && count <= most) return count
  throw new UsageError(`${field} is ${count}, allowed is ${least} to ${most}`)
}

type ConfigFile = Omit<DaemonFlags, 'config'> &
  Partial<Record<OverlayName, Parameters>> & { readonly past?: Partial<PastConfig>; readonly dolr?: Partial<DolrConfig> }

/** A configuration file is a page, not a book. */
const maxConfigBytes = 64 * 1024

async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`the configuration file ${path} cannot be read: ${(error as Error).message}`)
  }
  if (text.length > maxConfigBytes) throw new UsageError(`the configuration file ${path} is longer than ${maxConfigBytes} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`the configuration file ${path} is not JSON: ${(error as Error).message}`)
  }
  const file = await checkedFile(path, value)
  const beside = (name: string | undefined): string | undefined => (name === undefined ? undefined : resolve(dirname(path), name))
  return { ...file, ...defined({ data: beside(file.data), control: beside(file.control) }) }
}

/** Also what is out of range is found here, in the sections of overlays that are not chosen as well: the file is wrong either way. */
async function checkedFile(path: string, value: unknown): Promise<ConfigFile> {
  const overlays = await Promise.all(overlayNames.map(async (name) => [name, await overlayNamed(name)] as const))
  const file = checked(path, '', value, {
    ...fileKinds,
    ...Object.fromEntries(overlays.map(([name, { defaults }]) => [name, kindsOf(defaults)])),
    past: kindsOf(pastDefaults),
    dolr: kindsOf(dolrDefaults),
  }) as ConfigFile
  for (const [name, kind] of overlays) inRange(path, () => kind.make(file[name]))
  inRange(path, () => new PastNode(file.past ?? {}, Prng.fromSeed(0)))
  inRange(path, () => new DolrNode(file.dolr ?? {}, Prng.fromSeed(0)))
  return file
}

type Kind = 'text' | 'texts' | 'number' | Readonly<Record<string, unknown>>

const fileKinds: Readonly<Record<string, Kind>> = {
  listen: 'texts',
  bootstrap: 'texts',
  data: 'text',
  control: 'text',
  network: 'text',
  overlay: 'text',
  virtualNodes: 'number',
  puzzleBits: 'number',
}

/** A section takes what has a default, of the kind that the default is. */
function kindsOf(defaults: object): Readonly<Record<string, Kind>> {
  return Object.fromEntries(Object.entries(defaults).map(([key, value]) => [key, typeof value === 'string' ? 'text' : 'number']))
}

/** `value` as an object whose keys are all known and of their kind; `within` is the key that holds it. */
function checked(path: string, within: string, value: unknown, kinds: Readonly<Record<string, unknown>>): unknown {
  const where = `in ${path}`
  const place = within === '' ? 'the configuration' : within
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError(`${place} ${where} is no object`)
  for (const [name, each] of Object.entries(value)) {
    const key = within === '' ? name : `${within}.${name}`
    if (!Object.hasOwn(kinds, name))
      throw new UsageError(`${key} ${where} is not known; ${place} may have ${Object.keys(kinds).join(', ')}`)
    const kind = kinds[name] as Kind
    if (kind === 'text' && typeof each !== 'string') throw new UsageError(`${key} ${where} is no string`)
    if (kind === 'number' && typeof each !== 'number') throw new UsageError(`${key} ${where} is no number`)
    if (kind === 'texts' && !(Array.isArray(each) && each.every((item) => typeof item === 'string'))) {
      throw new UsageError(`${key} ${where} is no list of strings`)
    }
    if (typeof kind === 'object') checked(path, key, each, kind)
  }
  return value
}

/** Makes something of a section only to have what is wrong with it said, with the name of the file. */
function inRange(path: string, make: () => unknown): void {
  try {
    make()
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error
    throw new UsageError(error.message.replace(error.field, `${error.field} in ${path}`))
  }
}

function multiaddrs(field: string, addresses: readonly string[]): readonly string[] {
  for (const address of addresses) {
    try {
      multiaddr(address)
    } catch {
      throw new UsageError(`${field} ${JSON.stringify(address)} is no multiaddr, such as /ip4/127.0.0.1/tcp/4001`)
    }
  }
  return addresses
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
