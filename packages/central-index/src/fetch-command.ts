import { guidOf, shortGuid } from '@plaxton/guid'
import type { Guid } from '@plaxton/guid'
import { NotFoundError } from '@plaxton/kbr'
import type { AppEffects, Millis, NodeRef } from '@plaxton/kbr'
import { Command, rejected } from './command.ts'
import type { CommandInit } from './command.ts'
import { Download } from './download.ts'
import type { FetchedFile } from './events.ts'
import type { IndexedHost } from './messages.ts'
import { namesOf } from './parts.ts'
import type { ClientParts } from './parts.ts'
import { checkHosts } from './peers.ts'

/**
 * Fetches a file: asks who has it (1), orders them by distance (2), asks the nearest for pieces (3), goes on with the next one when it fails in the middle, and
 * verifies the bytes against the guid (4).
 *
 * Bytes that several peers have sent and that are not the file's tell nothing about who lied, so from then on each file must come whole from one peer,
 * and a peer whose whole file is another one is asked no more.
 */
export class FetchCommand extends Command {
  protected readonly verb: string
  private readonly guid: Guid
  /** Told the file in the step that ends the command. */
  private readonly onFile: (file: FetchedFile, now: Millis, fx: AppEffects) => void
  private readonly download: Download
  /** Peers that sent another file in whole; at most as many as are named. */
  private readonly liars = new Set<Guid>()
  /** Peers to ask yet, nearest first. */
  private candidates: Array<{ readonly node: NodeRef; readonly size: number }> = []
  private name = ''
  /** Whether pieces of several peers are put together: until that has gone wrong. */
  private mixes = true
  private round = 1

  constructor(parts: ClientParts, init: CommandInit, guid: Guid, onFile: (file: FetchedFile, now: Millis, fx: AppEffects) => void) {
    super(parts, init)
    this.verb = `the fetch of ${shortGuid(guid)}`
    this.guid = guid
    this.onFile = onFile
    this.download = new Download(parts.config, parts.errands, guid)
  }

  protected run(now: Millis, fx: AppEffects): void {
    const { guid, parts } = this
    this.findHosts(guid, now, fx, (hosts, time, effects) => {
      if (hosts.length === 0) return this.startOver(effects)
      this.name ||= hosts.find(({ name }) => name !== '')?.name ?? ''
      checkHosts(parts, { guid, hosts: hosts.map(({ node }) => node), wanted: hosts.length }, time, effects, (found, later, afterwards) => {
        if (this.ended) return
        this.candidates = found.flatMap(({ node, said }) => (said?.held === true ? [{ node, size: said.size }] : []))
        this.progress('peers', this.describe(found, hosts), afterwards)
        this.next(later, afterwards)
      })
    })
  }

  private describe(
    found: ReadonlyArray<{ readonly node: NodeRef; readonly said: unknown; readonly ms: Millis | undefined }>,
    named: readonly IndexedHost[],
  ): string {
    const alive = found.filter(({ said }) => said !== undefined)
    const distances = alive.map(({ node, ms }) => `${shortGuid(node.id)} ${ms ?? '?'} ms`)
    return `${alive.length} of ${named.length} answer, nearest first: ${distances.join(', ')}`
  }

  /** Asks the next peer for what is missing. */
  private next(now: Millis, fx: AppEffects): void {
    const { download } = this
    if (!this.mixes) download.clear()
    const fitting = this.candidates.find(({ size }) => download.fits(size))
    // What has come may be a liar's, whose file has another size than everybody else's.
    if (fitting === undefined && this.candidates.length > 0) download.clear()
    const peer = fitting ?? this.candidates.find(({ size }) => download.fits(size))
    if (peer === undefined) return this.run(now, fx)
    this.candidates = this.candidates.filter((each) => each !== peer)
    const { node, size } = peer
    const already = download.length
    this.progress(
      'sending',
      already === 0 ? `asking ${shortGuid(node.id)} for ${size} bytes` : `going on at byte ${already} with ${shortGuid(node.id)}`,
      fx,
    )
    download.from(node, size, now, fx, {
      isOver: () => this.ended,
      onPiece: (effects) => this.progress('piece', `${download.length} of ${size} bytes, from ${shortGuid(node.id)}`, effects),
      onEnd: (problem, time, effects) => {
        if (problem === undefined) return this.verify(node, time, effects)
        this.progress('peer-failed', `${shortGuid(node.id)}: ${problem}`, effects)
        this.next(time, effects)
      },
    })
  }

  private verify(last: NodeRef, now: Millis, fx: AppEffects): void {
    const { guid, download } = this
    const bytes = download.bytes()
    const from = download.senders
    if (guidOf(bytes) === guid) {
      this.progress('verified', `${bytes.length} bytes, from ${namesOf(from)}`, fx)
      const file = { guid, name: this.name, bytes, from }
      this.onFile(file, now, fx)
      return this.succeed(file, fx)
    }
    this.progress('corrupt', `the bytes of ${namesOf(from)} are not those of ${shortGuid(guid)}`, fx)
    this.mixes = false
    if (from.length === 1) this.liars.add(last.id)
    else this.candidates.push(...from.map((node) => ({ node, size: bytes.length })))
    download.clear()
    this.next(now, fx)
  }

  /** Nobody is left: perhaps others have it by now. */
  private startOver(fx: AppEffects): void {
    this.forgetNamed(this.liars)
    if (this.round++ < this.parts.config.rounds)
      return this.retryLater('nobody is left to ask', fx, (_, now, effects) => this.run(now, effects))
    const name = shortGuid(this.guid)
    if (this.liars.size > 0) return this.fail(rejected(`all that was sent as ${name} was something else`), fx)
    this.fail(new NotFoundError(`none of those that the index names has sent all of ${name}`), fx)
  }
}
