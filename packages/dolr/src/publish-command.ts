import { shortGuid } from '@plaxton/guid'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { Command, rejected, routeError } from './command.ts'
import type { CommandInit } from './command.ts'
import { namesOf } from './parts.ts'
import type { DolrParts } from './parts.ts'
import type { Announced, Publications } from './publications.ts'

/**
 * Makes it known that this node hosts an object, or no longer does. Ends when every root has answered or its time is up, and well if one has agreed: the
 * others learn of it from a republication, and searches ask the next root meanwhile.
 */
export class PublishCommand extends Command {
  protected readonly verb: string
  private readonly publications: Publications
  readonly withdrawn: boolean
  private readonly roots: NodeRef[] = []

  constructor(parts: DolrParts, init: CommandInit, publications: Publications, withdrawn: boolean) {
    super(parts, init)
    this.publications = publications
    this.withdrawn = withdrawn
    this.verb = withdrawn ? 'unpublish' : 'publish'
  }

  protected run(now: Millis, fx: AppEffects): void {
    this.progress(
      'signing',
      `signing that ${namesOf([fx.self])} ${this.withdrawn ? 'no longer hosts' : 'hosts'} ${shortGuid(this.guid)}`,
      fx,
    )
    const { roots } = this.parts.config
    let open = roots
    this.publications.announce(
      this.guid,
      this.withdrawn,
      this.attemptMs(now),
      now,
      fx,
      (problem, effects) => {
        if (this.ended) return
        if (problem !== undefined) this.fail(rejected(`nothing could be signed: ${problem}`), effects)
        else
          this.progress(this.withdrawn ? 'withdrawing' : 'publishing', `on the way to ${roots} roots of ${shortGuid(this.guid)}`, effects)
      },
      (_, announced, time, effects) => {
        open--
        if (!this.ended) this.onRoot(announced, open, time, effects)
      },
    )
  }

  private onRoot(announced: Announced, open: number, _now: Millis, fx: AppEffects): void {
    const isUndone = !this.withdrawn && this.publications.get(this.guid) === undefined
    if (isUndone) return this.fail(rejected('the object was unpublished meanwhile'), fx)
    if (announced.ok) {
      this.roots.push(announced.root)
      this.progress('published', `the root ${namesOf([announced.root])} knows`, fx)
    } else this.lastError = routeError(announced.failure)
    if (open > 0) return
    if (this.roots.length > 0) return this.succeed({ guid: this.guid, roots: this.roots, wanted: this.parts.config.roots }, fx)
    this.retryLater(this.lastError!, fx, (time, effects) => this.run(time, effects))
  }
}
