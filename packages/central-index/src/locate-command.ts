import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { Command } from './command.ts'
import type { CommandInit } from './command.ts'
import type { ClientParts } from './parts.ts'
import { checkHosts } from './peers.ts'

/** The nearest hosts of an object. Steps (1) and (2) of Napster's protocol. */
export class LocateCommand extends Command {
  protected readonly verb: string
  private readonly guid: Guid
  private readonly n: number
  private readonly checked: boolean

  constructor(parts: ClientParts, init: CommandInit, guid: Guid, n: number, checked: boolean) {
    super(parts, init)
    this.verb = `locate of ${shortGuid(guid)}`
    this.guid = guid
    this.n = n
    this.checked = checked
  }

  protected run(now: Millis, fx: AppEffects): void {
    const { guid, n, parts } = this
    this.findHosts(guid, now, fx, (named, time, effects) => {
      if (named.length === 0) return this.finish([], effects)
      const hosts = named.map(({ node }) => node)
      checkHosts(parts, { guid, hosts, wanted: n }, time, effects, (found, later, afterwards) => {
        if (this.ended) return
        if (this.checked && !found.some(({ said }) => said?.held === true)) return this.run(later, afterwards)
        const having = this.checked ? found.filter(({ said }) => said?.held === true) : found
        this.finish(having.map(({ node }) => node).slice(0, n), afterwards)
      })
    })
  }

  private finish(hosts: readonly NodeRef[], fx: AppEffects): void {
    if (hosts.length > 0) this.succeed(hosts, fx)
    else this.fail(new NotFoundError(`none of those that the index names has ${shortGuid(this.guid)}`), fx)
  }
}
