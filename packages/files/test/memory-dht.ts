import { guidOf } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, Dht, Inspection, PutOptions, PutReceipt, RemoveReceipt } from '@plaxton/kbr'
import { NotFoundError, NotOwnerError } from '@plaxton/kbr'

/** A hash table that is not distributed: one map, answering in a later turn. It counts what is under way. */
export class MemoryDht implements Dht {
  readonly blocks = new Map<Guid, { data: Uint8Array; owned: boolean; options: PutOptions }>()
  underWay = 0
  mostUnderWay = 0
  puts = 0
  gets = 0

  async put(guid: Guid, data: Uint8Array, options: PutOptions = {}): Promise<PutReceipt> {
    this.puts++
    await this.turn(options)
    if (guidOf(data) !== guid) throw new Error('bytes and guid do not belong together')
    this.blocks.set(guid, { data: data.slice(), owned: true, options })
    return { guid, size: data.length, holders: [], wanted: 1, quorum: 1, expires: undefined }
  }

  async get(guid: Guid, options: CallOptions = {}): Promise<Uint8Array> {
    this.gets++
    await this.turn(options)
    return this.find(guid).data
  }

  async remove(guid: Guid, options: CallOptions = {}): Promise<RemoveReceipt> {
    await this.turn(options)
    if (!this.find(guid).owned) throw new NotOwnerError('not yours')
    this.blocks.delete(guid)
    return { guid, holders: [] }
  }

  async has(guid: Guid): Promise<boolean> {
    return this.blocks.has(guid)
  }

  async inspect(guid: Guid): Promise<Inspection> {
    return { guid, size: this.find(guid).data.length, wanted: 1, holders: [], expires: undefined }
  }

  ensure(guid: Guid): Promise<Inspection> {
    return this.inspect(guid)
  }

  /** Removes a block as if all its replicas had been lost. */
  lose(guid: Guid): void {
    this.blocks.delete(guid)
  }

  private find(guid: Guid): { data: Uint8Array; owned: boolean } {
    const block = this.blocks.get(guid)
    if (block === undefined) throw new NotFoundError(`nothing under ${guid}`)
    return block
  }

  private async turn(options: CallOptions): Promise<void> {
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay)
    await new Promise((resolve) => void setImmediate(resolve))
    this.underWay--
    if (options.signal?.aborted === true) throw options.signal.reason
  }
}
