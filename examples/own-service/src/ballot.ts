import type { Guid } from '@plaxton/guid'
import type { AppEffects, Application, ForwardDecision, Reply, ReplyHandle, RoutedMessage } from '@plaxton/kbr'

/** A voter learns the count its vote brought. */
export interface CountedEvent {
  readonly type: 'ballot:counted'
  readonly subject: Guid
  readonly votes: number
}

/** Subjects a node counts; the votes for further ones are refused. */
const mostSubjects = 1000

/**
 * Counts votes without a server: every vote is routed to the root of its subject, which counts and answers. Whoever votes, and wherever,
 * reaches the same node. (A count dies with its root; PAST in `@plaxton/past` shows what replicas take.)
 */
export class Ballot implements Application {
  readonly name = 'ballot'
  private readonly counts = new Map<Guid, number>()
  private readonly votes = new Map<number, Guid>()

  /** Command: vote for `subject`. Ends in `ballot:counted`, unless the network has no way to the root. */
  vote(subject: Guid, fx: AppEffects): void {
    this.votes.set(fx.route(subject, new Uint8Array(), { replyWithinMs: 5000 }), subject)
  }

  deliver(message: RoutedMessage, _now: number, fx: AppEffects): void {
    const votes = (this.counts.get(message.key) ?? 0) + 1
    if (votes === 1 && this.counts.size >= mostSubjects) return fx.refuse(message.reply, 'this node counts enough subjects')
    this.counts.set(message.key, votes)
    fx.reply(message.reply, new Uint8Array(Uint32Array.of(votes).buffer))
  }

  onReply(requestId: number, reply: Reply, _now: number, fx: AppEffects): void {
    const subject = this.votes.get(requestId)
    this.votes.delete(requestId)
    if (subject === undefined || !reply.ok || reply.payload.length !== 4) return
    const [votes] = new Uint32Array(reply.payload.slice().buffer)
    const event: CountedEvent = { type: 'ballot:counted', subject, votes: votes! }
    fx.emit(event)
  }

  forward(): ForwardDecision {
    return { action: 'continue' }
  }

  onRequest(_from: unknown, _payload: Uint8Array, reply: ReplyHandle, _now: number, fx: AppEffects): void {
    fx.refuse(reply, 'votes are routed, not asked')
  }

  onLeave(_now: number, fx: AppEffects): void {
    fx.handedOver()
  }

  // A ballot keeps nothing on disk, starts no timer and does not care who its neighbours are.
  onStart(): void {}
  update(): void {}
  onTimer(): void {}
  onAnswer(): void {}
}
