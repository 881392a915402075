/** What the benches use of bittorrent-dht, which comes without types. */
declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events'

  export class Client extends EventEmitter {
    constructor(options: { bootstrap: readonly string[] | false; k: number; maxValues: number; host: string })
    listen(port: number, host: string, onListening: () => void): void
    address(): { readonly port: number }
    put(options: { v: Uint8Array }, done: (error: Error | null, hash: Uint8Array) => void): void
    get(hash: Uint8Array, options: { cache: boolean }, done: (error: Error | null, found: { readonly v: Uint8Array } | null) => void): void
    announce(infoHash: Uint8Array, port: number, done: (error: Error | null) => void): void
    lookup(infoHash: Uint8Array, done: () => void): () => void
    destroy(done: () => void): void
  }
}
