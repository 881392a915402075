import { shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { Command, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import { emit } from './events.ts'
import { namesOf } from './parts.ts'
import type { ClientParts } from './parts.ts'
import { checkHosts } from './peers.ts'

/** Sends a message to the nearest hosts of an object, each once; another one takes the place of a host that fails. */
export class SendCommand extends Command {
  protected readonly verb: string
  private readonly guid: Guid
  private readonly message: Uint8Array
  private readonly n: number
  /** By which a host knows the message when it comes again. */
  private readonly number: number
  /** Hosts that have been sent the message. */
  private readonly tried = new Set<Guid>()
  /** Hosts to be sent to yet, nearest first. */
  private candidates: NodeRef[] = []
  private sending = 0
  private answered = 0
  /** What a host that refused the message said. */
  private refusal: string | undefined = undefined
  private round = 1

  constructor(parts: ClientParts, init: CommandInit, guid: Guid, message: Uint8Array, n: number) {
    super(parts, init)
    this.verb = `the message to ${shortGuid(guid)}`
    this.guid = guid
    this.message = message
    this.n = n
    this.number = 1 + parts.prng.nextUint32()
  }

  protected run(now: Millis, fx: AppEffects): void {
    const { guid, n, parts } = this
    this.findHosts(guid, now, fx, (named, time, effects) => {
      if (named.length === 0) return this.startOver(effects)
      const hosts = named.filter(({ answers }) => answers).map(({ node }) => node)
      checkHosts(parts, { guid, hosts, wanted: n }, time, effects, (found, later, afterwards) => {
        if (this.ended) return
        this.candidates = found.filter(({ said }) => said?.held === true && said.answers).map(({ node }) => node)
        this.progress('peers', `nearest first: ${namesOf(this.candidates) || 'nobody answers'}`, afterwards)
        this.sendMore(later, afterwards)
      })
    })
  }

  /** As many as are still wanted are sent the message; the command ends when nobody is left. */
  private sendMore(now: Millis, fx: AppEffects): void {
    while (this.answered + this.sending < this.n && this.candidates.length > 0) this.send(this.candidates.shift()!, now, fx)
    if (this.sending > 0 || this.ended) return
    if (this.answered > 0) return this.succeed(this.answered, fx)
    if (this.refusal !== undefined) return this.fail(rejected(this.refusal), fx)
    this.run(now, fx)
  }

  /** Nobody is left: perhaps others host it by now. */
  private startOver(fx: AppEffects): void {
    this.forgetNamed(this.tried)
    if (this.round++ < this.parts.config.rounds)
      return this.retryLater('no host answers', fx, (_, time, effects) => this.run(time, effects))
    this.fail(new NotFoundError(`none of those that the index names answers for ${shortGuid(this.guid)}`), fx)
  }

  private send(host: NodeRef, now: Millis, fx: AppEffects): void {
    const { guid, number: id, message: payload } = this
    this.tried.add(host.id)
    this.sending++
    this.progress('sending', `to ${shortGuid(host.id)}`, fx)
    const sent = { over: false }
    this.parts.errands.request(host, { type: 'deliver', guid, id, payload }, this.leftMs(now), fx, (answered, time, effects) => {
      if (sent.over || this.ended) return
      sent.over = true
      this.sending--
      const answer = answered.ok && answered.answer.type === 'outcome' ? answered.answer : undefined
      if (answer?.outcome === 'answered') {
        this.answered++
        emit(effects, { type: 'central-index:reply', command: this.id, host, payload: answer.payload })
      } else if (answer?.outcome === 'refused') this.refusal = answer.detail
      if (answer?.outcome !== 'answered')
        this.progress(
          'peer-failed',
          `${shortGuid(host.id)}: ${answer?.detail ?? (answered.ok ? 'no answer' : answered.failure.detail)}`,
          effects,
        )
      this.sendMore(time, effects)
    })
    this.watch(host, sent, fx)
  }

  /** A host that takes long is asked now and then whether it is still at it; one that does not say so has failed. */
  private watch(host: NodeRef, sent: { over: boolean }, fx: AppEffects): void {
    const { errands, config } = this.parts
    errands.later(config.patienceMs, fx, (_, __, effects) => {
      if (sent.over || this.ended) return
      errands.request(host, { type: 'check', guid: this.guid, id: this.number }, config.checkMs, effects, (answered, now, afterwards) => {
        if (sent.over || this.ended) return
        if (answered.ok && answered.answer.type === 'held') return this.watch(host, sent, afterwards)
        sent.over = true
        this.sending--
        this.progress('peer-failed', `${shortGuid(host.id)} is silent`, afterwards)
        this.sendMore(now, afterwards)
      })
    })
  }
}
