import type { StorePort } from '@plaxton/runtime'

/** A part of a store whose keys all begin with `prefix`, so that several users of one datastore keep out of each other's way. */
export function subStore(store: StorePort, prefix: string): StorePort {
  return {
    read: (key) => store.read(prefix + key),
    write: (entries) => store.write(entries.map(([key, bytes]) => [prefix + key, bytes] as const)),
    async list(keyPrefix) {
      const entries = await store.list(prefix + keyPrefix)
      return entries.map(([key, bytes]) => [key.slice(prefix.length), bytes] as const)
    },
    close: () => store.close(),
  }
}
