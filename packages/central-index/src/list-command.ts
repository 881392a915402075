import type { Guid } from '@plaxton/guid'
import type { AppEffects, Millis } from '@plaxton/kbr'
import { Command, routeError } from './command.ts'
import type { CommandInit } from './command.ts'
import type { Listing } from './messages.ts'
import type { ClientParts } from './parts.ts'
import type { OnListed } from './registration.ts'

/** Offers something, or no longer; ends when a server has acknowledged it. Step (5) of Napster's protocol. */
export class ListCommand extends Command {
  protected readonly verb = 'telling a server what is offered here'
  private readonly listed: readonly Listing[]
  readonly withdrawn: readonly Guid[]

  constructor(
    parts: ClientParts,
    init: CommandInit,
    change: { readonly listed?: readonly Listing[]; readonly withdrawn?: readonly Guid[] },
  ) {
    super(parts, init)
    this.listed = change.listed ?? []
    this.withdrawn = change.withdrawn ?? []
  }

  /** The only thing that it offers; undefined when it is more or nothing. */
  get onlyListed(): Guid | undefined {
    return this.listed.length === 1 ? this.listed[0]!.guid : undefined
  }

  protected run(now: Millis, fx: AppEffects): void {
    const { registration } = this.parts
    const done: OnListed = (effects, failure) =>
      failure === undefined ? this.succeed(undefined, effects) : this.fail(routeError(failure.detail, failure), effects)
    this.progress('registering', `${this.listed.length} listed, ${this.withdrawn.length} withdrawn`, fx)
    if (this.withdrawn.length > 0) registration.withdraw(this.withdrawn, now, fx, done)
    else registration.list(this.listed, now, fx, done)
  }
}
