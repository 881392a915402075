import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { guidOfPeer } from '@plaxton/guid'
import { PlaxtonError } from '@plaxton/kbr'
import { generatePuzzleKey, solvesPuzzle } from '@plaxton/libp2p'
import { openStore } from '@plaxton/runtime/disk'
import { UsageError } from '../errors.ts'
import type { PrivateKey } from '@libp2p/interface'
import type { StorePort } from '@plaxton/runtime'

/** What a node has to find again after a restart, in one folder. Only its user can read it. */
export interface DataDirectory {
  readonly path: string
  /** Who the node is: its PeerId and thereby its place in the overlay. */
  readonly identity: PrivateKey
  /** What the node signs its objects with. Whoever has it can remove them. */
  readonly owner: PrivateKey
  /** Replicas, and the catalog. */
  readonly store: StorePort
  readonly memory: Memory
  /** Lets go of the folder: another process may open it. */
  close(): Promise<void>
}

/** What a node wrote down of the network it was in. */
interface Remembered {
  /** The address a listen address with port 0 came to, so that a restarted node is found where it was. */
  readonly listen: Readonly<Record<string, string>>
  /** Multiaddrs of its last neighbours. */
  readonly peers: readonly string[]
}

/** The last neighbours, as many as the largest usual leaf set has. */
const maxRememberedPeers = 64

/**
 * Opens the folder of a node, which is made when it is missing. Rejects with `DataInUseError` when a running node has it, for the store is
 * locked by the operating system; a node that was killed leaves no lock. Rejects with `UsageError` when the path is that of a file, and when the node in it
 * does not solve the puzzle of so many bits; a new one is made so that it does.
 */
export async function openDataDirectory(path: string, puzzleBits = 0): Promise<DataDirectory> {
  await makeFolder(path)
  const store = await openStoreIn(path)
  try {
    await writeFile(join(path, pidFile), `${process.pid}\n`)
    return {
      path,
      identity: await identityIn(join(path, 'identity.key'), puzzleBits),
      owner: await keyIn(join(path, 'owner.key'), () => generateKeyPair('Ed25519')),
      store,
      memory: await Memory.in(path),
      close: async () => {
        await store.close()
        await rm(join(path, pidFile), { force: true })
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** What a node remembers of its network, on disk. */
class Memory {
  private readonly path: string
  private value: Remembered
  private writing: Promise<void> = Promise.resolve()

  private constructor(path: string, value: Remembered) {
    this.path = path
    this.value = value
  }

  static async in(directory: string): Promise<Memory> {
    const path = join(directory, 'peers.json')
    try {
      return new Memory(path, remembered(JSON.parse(await readFile(path, 'utf8'))))
    } catch {
      // Missing, or cut off by a full disk: the node joins through what it is given.
      return new Memory(path, { listen: {}, peers: [] })
    }
  }

  get now(): Remembered {
    return this.value
  }

  /** Writes down what has changed; one write after the other. A disk that fails is no reason to stop: then the node remembers less. */
  note(change: Partial<Remembered>): Promise<void> {
    const value = { ...this.value, ...change }
    this.value = { ...value, peers: value.peers.slice(0, maxRememberedPeers) }
    this.writing = this.writing.then(() => replaceFile(this.path, `${JSON.stringify(this.value, undefined, 2)}\n`).catch(() => {}))
    return this.writing
  }
}

const pidFile = 'pid'

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    // The first when the path itself is a file, the second when a part of it is.
    if (!['EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new UsageError(`--data ${path} is a file or lies below one: name a folder, which is made when it is missing`)
  }
}

async function openStoreIn(path: string): Promise<StorePort> {
  try {
    return await openStore(join(path, 'store'))
  } catch (error) {
    if (!(error instanceof PlaxtonError && error.code === 'ERR_STORE_IN_USE')) throw error
    const pid = (await readFile(join(path, pidFile), 'utf8').catch(() => '')).trim()
    const who = /^\d+$/.test(pid) ? `process ${pid}` : 'another process'
    throw new PlaxtonError(
      'DataInUseError',
      'ERR_STORE_IN_USE',
      `${path} is in use by ${who}: stop that one, or give this node another --data`,
    )
  }
}

/** Who the node is. It cannot be somebody else in the same folder. */
async function identityIn(path: string, puzzleBits: number): Promise<PrivateKey> {
  const key = await keyIn(path, () => generatePuzzleKey(puzzleBits))
  if (solvesPuzzle(guidOfPeer(peerIdFromPrivateKey(key)), puzzleBits)) return key
  throw new UsageError(
    `the node in ${dirname(path)} does not solve a puzzle of ${puzzleBits} bits, so no other would believe it: give a node for this network another --data`,
  )
}

/** The Ed25519 key in a file, made when there is none. The file is there whole or not at all, whenever the process ends. */
async function keyIn(path: string, make: () => Promise<PrivateKey>): Promise<PrivateKey> {
  let text: string
  try {
    text = await readFile(path, 'ascii')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const key = await make()
    await replaceFile(path, `${Buffer.from(privateKeyToProtobuf(key)).toString('base64')}\n`)
    return key
  }
  try {
    return privateKeyFromProtobuf(Buffer.from(text.trim(), 'base64'))
  } catch {
    throw new PlaxtonError('KeyError', 'ERR_KEY', `${path} holds no key: restore it from a copy, or remove it to become another node`)
  }
}

/** Puts `text` in place of the file in one step, durably, readable by its user alone. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  if (process.platform === 'win32') return
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** What of a file's content is of the right kind. */
function remembered(value: unknown): Remembered {
  const { listen, peers } = (typeof value === 'object' && value !== null ? value : {}) as { listen?: unknown; peers?: unknown }
  const isText = (each: unknown): each is string => typeof each === 'string'
  return {
    listen:
      typeof listen === 'object' && listen !== null ? Object.fromEntries(Object.entries(listen).filter(([, each]) => isText(each))) : {},
    peers: Array.isArray(peers) ? peers.filter(isText).slice(0, maxRememberedPeers) : [],
  }
}
