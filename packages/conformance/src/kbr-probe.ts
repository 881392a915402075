import type { Guid } from '@plaxton/guid'
import type { Answer, AppEffects, Application, ForwardDecision, Millis, NodeRef, Reply, ReplyHandle, RoutedMessage } from '@plaxton/kbr'

/** One upcall of a routed message, as the application saw it; the payload is a copy. */
export interface Upcall extends RoutedMessage {
  readonly kind: 'forward' | 'deliver'
  readonly at: NodeRef
  /** Of `forward`. */
  readonly nextHop: NodeRef | undefined
}

/** What another node asked, or told (`reply` 0). */
export interface Asked {
  readonly at: NodeRef
  readonly from: NodeRef
  readonly payload: Uint8Array
  readonly reply: ReplyHandle
}

/** What the probes of all nodes of a network have seen, in the order it happened; and what they answer, which a case may change. */
export class Journal {
  private readonly byTag = new Map<string, Upcall[]>()
  asked: Asked[] = []
  /** Upcalls that must never come: a reply to nothing, a second reply. */
  readonly wrongs: string[] = []
  decide: (message: Upcall, fx: AppEffects) => ForwardDecision = goOn
  deliver: (message: Upcall, fx: AppEffects) => void = answerOwnId
  request: (asked: Asked, fx: AppEffects) => void = echo

  /** Forgets what was seen, and answers as at first. */
  reset(): void {
    this.byTag.clear()
    this.asked = []
    this.decide = goOn
    this.deliver = answerOwnId
    this.request = echo
  }

  /** The upcalls of the message that was sent with this tag, whatever came of its payload after the tag. */
  of(tag: Uint8Array): Upcall[] {
    return this.byTag.get(tagOf(tag)) ?? []
  }

  /** A probe was called. */
  add(upcall: Upcall): void {
    const tag = tagOf(upcall.payload)
    const known = this.byTag.get(tag)
    if (known === undefined) this.byTag.set(tag, [upcall])
    else known.push(upcall)
  }
}

let tags = 0

/** The payload of a new message, by which its upcalls are told from all others. All are of one length, since the history of a simulated network tells lengths. */
export function newTag(): Uint8Array {
  tags++
  return textBytes(`letter ${String(tags).padStart(9, '0')}.`)
}

/** What stands before the first full stop, if there is one soon. */
function tagOf(payload: Uint8Array): string {
  const start = payload.subarray(0, 24)
  return bytesText(start.subarray(0, Math.max(0, start.indexOf(fullStop))))
}

const fullStop = 46

/** The application that the suite runs on every node. */
export class KbrProbe implements Application {
  readonly name = 'conformance'
  /** Outcomes by request id, and when they came. */
  readonly replies = new Map<number, Reply>()
  /** The neighbours as the `update` upcalls tell them. */
  readonly neighbors = new Map<Guid, NodeRef>()
  /** Times `routesChanged` was called. */
  routesChanges = 0
  private readonly journal: Journal

  constructor(journal: Journal) {
    this.journal = journal
  }

  onStart(): void {}

  forward(message: RoutedMessage, nextHop: NodeRef | undefined, _now: Millis, fx: AppEffects): ForwardDecision {
    return this.journal.decide(this.note('forward', message, nextHop, fx), fx)
  }

  deliver(message: RoutedMessage, _now: Millis, fx: AppEffects): void {
    this.journal.deliver(this.note('deliver', message, undefined, fx), fx)
  }

  update(node: NodeRef, joined: boolean): void {
    if (joined) this.neighbors.set(node.id, node)
    else this.neighbors.delete(node.id)
  }

  routesChanged(): void {
    this.routesChanges++
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, _now: Millis, fx: AppEffects): void {
    const asked = { at: fx.self, from, payload: payload.slice(), reply }
    this.journal.asked.push(asked)
    this.journal.request(asked, fx)
  }

  onReply(requestId: number, reply: Reply): void {
    if (this.replies.has(requestId)) this.journal.wrongs.push(`request ${requestId} was answered twice`)
    this.replies.set(requestId, reply)
  }

  onTimer(): void {}

  onAnswer(_token: number, _answer: Answer): void {}

  onLeave(_now: Millis, fx: AppEffects): void {
    fx.handedOver()
  }

  private note(kind: Upcall['kind'], message: RoutedMessage, nextHop: NodeRef | undefined, fx: AppEffects): Upcall {
    const upcall = { ...message, kind, at: fx.self, nextHop, payload: message.payload.slice() }
    this.journal.add(upcall)
    return upcall
  }
}

export const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const bytesText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

function goOn(): ForwardDecision {
  return { action: 'continue' }
}

function answerOwnId(message: Upcall, fx: AppEffects): void {
  fx.reply(message.reply, textBytes(fx.self.id))
}

function echo(asked: Asked, fx: AppEffects): void {
  fx.reply(asked.reply, asked.payload)
}
