import type { Datastore } from 'interface-datastore'
import { Key } from 'interface-datastore'
import type { StorePort } from './ports.ts'

/**
 * Any `interface-datastore` as a store: `datastore-idb` in a browser, `MemoryDatastore`, one a libp2p node has already. Entries are written one
 * after the other, because a datastore's batch promises neither order nor atomicity. As durable as the datastore is: most do not survive a
 * power cut. `close` leaves the datastore open: it belongs to whoever opened it.
 */
export function datastoreStore(datastore: Datastore): StorePort {
  let lastWrite: Promise<void> = Promise.resolve()
  return {
    async read(key) {
      try {
        return await datastore.get(toKey(key))
      } catch (error) {
        if (error instanceof Error && error.name === 'NotFoundError') return undefined
        throw error
      }
    },
    write(entries) {
      const write = lastWrite.then(async () => {
        for (const [key, bytes] of entries) {
          if (bytes === undefined) await datastore.delete(toKey(key))
          else await datastore.put(toKey(key), bytes)
        }
      })
      lastWrite = write.catch(() => {})
      return write
    },
    async list(prefix) {
      const entries: Array<readonly [string, Uint8Array]> = []
      for await (const { key, value } of datastore.query({ prefix: `/${prefix}` })) {
        const name = key.toString().slice(1)
        entries.push([name, value])
      }
      return entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
    },
    close: () => lastWrite,
  }
}

/** Taken as it stands: our keys are ASCII and a leading slash makes them keys of a datastore. */
function toKey(key: string): Key {
  return new Key(`/${key}`, false)
}
