import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datastoreStore, memoryStore } from '@plaxton/runtime'
import { openStore } from '@plaxton/runtime/disk'
import { MemoryDatastore } from 'datastore-core'
import { storeConformance } from '../src/index.ts'

storeConformance('memoryStore', {
  has: { copies: true, outlivesClose: true },
  open: async () => {
    const store = memoryStore()
    return { store, reopen: async () => store }
  },
})

storeConformance('datastoreStore over MemoryDatastore', {
  has: { copies: false, outlivesClose: true },
  open: async () => {
    const datastore = new MemoryDatastore()
    return { store: datastoreStore(datastore), reopen: async () => datastoreStore(datastore) }
  },
})

storeConformance('openStore', {
  has: { copies: true, outlivesClose: true },
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'plaxton-store-'))
    return {
      store: await openStore(directory),
      reopen: () => openStore(directory),
      dispose: () => rm(directory, { recursive: true }),
    }
  },
})
