import type { StorePort } from './ports.ts'

/** A store that lives as long as the process, for tests and demos. `close` keeps the contents: use it again for a node that restarts. */
export function memoryStore(): StorePort {
  const contents = new Map<string, Uint8Array>()
  return {
    read: async (key) => contents.get(key)?.slice(),
    write: async (entries) => {
      for (const [key, bytes] of entries) {
        if (bytes === undefined) contents.delete(key)
        else contents.set(key, new Uint8Array(bytes))
      }
    },
    list: async (prefix) =>
      [...contents]
        .filter(([key]) => key.startsWith(prefix))
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, bytes]) => [key, bytes.slice()] as const),
    close: async () => {},
  }
}
