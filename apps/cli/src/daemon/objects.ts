import { shortGuid } from '@plaxton/guid'
import { PlaxtonError } from '@plaxton/kbr'
import type { Guid } from '@plaxton/guid'
import type { CallOptions, ObjectHandler } from '@plaxton/kbr'
import type { DolrService } from '@plaxton/libp2p'

/** Objects made known by `publish` at a time; a further one is refused. Our choice: each costs the network pointers, and a signature a minute. */
const maxPublished = 10_000

/** Objects that one client hosts. */
export const maxHosted = 64

/** What takes longer to take back expires by itself. */
const withdrawWithinMs = 5_000

/**
 * What this node has made known: by `publish`, until `unpublish`, and for clients that answer messages, as long as they are there. Nothing of it is on
 * disk: a daemon that ends hosts nothing any more.
 */
export class Objects {
  private readonly dolr: DolrService
  private readonly published = new Set<Guid>()
  /** Bounded by {@link maxHosted} for each client of the control socket. `ended` from when the client has gone until the network has heard of it. */
  private readonly hosted = new Map<Guid, { readonly ended?: Promise<void> }>()

  constructor(dolr: DolrService) {
    this.dolr = dolr
  }

  get counts(): { readonly published: number; readonly hosted: number } {
    return { published: this.published.size, hosted: this.hosted.size }
  }

  /** Makes known that this node hosts the object. Nobody answers messages to it here, so these go to other hosts. */
  async publish(guid: Guid, options: CallOptions): Promise<void> {
    if (!this.published.has(guid) && this.published.size >= maxPublished) {
      throw new PlaxtonError('OverloadedError', 'ERR_OVERLOADED', `${maxPublished} objects are published here already: unpublish some`)
    }
    await this.leftAlone(guid)
    await this.dolr.publish(guid, options)
    this.published.add(guid)
  }

  async unpublish(guid: Guid, options: CallOptions): Promise<void> {
    if (this.isAnswered(guid)) throw isHosted(guid)
    await this.leftAlone(guid)
    this.published.delete(guid)
    await this.dolr.unpublish(guid, options)
  }

  /**
   * Makes the objects known and has `handler` answer messages to them, until the function this resolves with is called. Rejects, with none of them
   * hosted, when one cannot be published or is hosted already.
   */
  async host(guids: readonly Guid[], handler: ObjectHandler, options: CallOptions): Promise<() => Promise<void>> {
    await Promise.all(guids.map((guid) => this.leftAlone(guid)))
    const taken = guids.find((guid) => this.isAnswered(guid))
    if (taken !== undefined) throw isHosted(taken)
    for (const guid of guids) this.hosted.set(guid, {})
    const done = await Promise.allSettled(guids.map((guid) => this.dolr.host(guid, handler, options)))
    const failed = done.find(({ status }) => status === 'rejected')
    if (failed === undefined) return () => this.endHosting(guids)
    await this.endHosting(guids)
    throw (failed as PromiseRejectedResult).reason
  }

  /** What was published before is published again. Never rejects: what the network does not hear now it forgets by itself. */
  private async endHosting(guids: readonly Guid[]): Promise<void> {
    const ending = guids.map((guid) => {
      const ended = this.withdraw(guid).finally(() => this.hosted.delete(guid))
      this.hosted.set(guid, { ended })
      return ended
    })
    await Promise.allSettled(ending)
  }

  private async withdraw(guid: Guid): Promise<void> {
    const options = { timeoutMs: withdrawWithinMs }
    // Also of an object whose publication was broken off: that may have reached somebody.
    await this.dolr.unpublish(guid, options).catch(() => {})
    if (this.published.has(guid)) await this.dolr.publish(guid, options)
  }

  /** Resolves when nobody takes back that the object is hosted. */
  private async leftAlone(guid: Guid): Promise<void> {
    await Promise.allSettled([this.hosted.get(guid)?.ended])
  }

  private isAnswered(guid: Guid): boolean {
    const hosting = this.hosted.get(guid)
    return hosting !== undefined && hosting.ended === undefined
  }
}

function isHosted(guid: Guid): PlaxtonError {
  return new PlaxtonError(
    'HostedError',
    'ERR_HOSTED',
    `a client of this daemon hosts ${shortGuid(guid)} already: end that \`plaxton host\`, or use another daemon`,
  )
}
