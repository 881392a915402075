import type { Answer, Effects, KbrEvent, Message, Millis, NodeRef, PeerDownCause, Question, Timer } from '@plaxton/kbr'
import { PlaxtonError, assert } from '@plaxton/kbr'
import type { KbrNode } from '@plaxton/routing'
import type { Clock } from './clock.ts'
import type { Link, LinkReceiver } from './link.ts'
import type { ApplicationPorts } from './ports.ts'
import { answerTo } from './questions.ts'
import { TimerQueue } from './timer-queue.ts'

/** What the loop has counted since it was made. */
export interface LoopStats {
  readonly framesIn: number
  readonly framesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Frames that did not decode; dropped. */
  readonly framesGarbled: number
  /** Timers waiting now. */
  readonly timers: number
  /** Questions to disk and keys waiting for their answer now. */
  readonly questions: number
  /** Exceptions out of a core: bugs of ours, each told as a `host:fault` event. */
  readonly faults: number
}

/** What a loop needs of its host. */
export interface LoopInit {
  readonly link: Link
  readonly clock: Clock
  readonly ports: ReadonlyMap<string, ApplicationPorts>
  /** Called with each event, outside of any step. */
  readonly onEvent: (event: KbrEvent) => void
}

/**
 * Feeds one `KbrNode`, one input at a time, and carries out what it asks for once the step is over: messages go to the link, timers
 * to one queue, questions to the ports, events to the host in a microtask.
 */
export class StepLoop implements Effects, LinkReceiver {
  private readonly init: LoopInit
  private readonly timers: TimerQueue<Timer>
  private node: KbrNode | undefined
  private stepping = false
  // What the running step asked for. Empty between steps, so bounded by what one step does.
  private outbox: Array<{ to: NodeRef; message: Message }> = []
  private questions: Array<{ application: string; token: number; question: Question }> = []
  private events: KbrEvent[] = []
  /** Questions under way. Bounded by the applications, which limit the commands they run at once. */
  private readonly answering = new Set<Promise<void>>()
  private framesIn = 0
  private framesOut = 0
  private bytesIn = 0
  private bytesOut = 0
  private framesGarbled = 0
  private faults = 0

  constructor(init: LoopInit) {
    this.init = init
    this.timers = new TimerQueue(init.clock, (timer) => this.input('timer', (node, now) => node.onTimer(timer, now, this)))
  }

  /** From now on inputs reach `node`; before, they are dropped. */
  open(node: KbrNode): void {
    this.node = node
  }

  /** From now on inputs are dropped. Resolves when no question is under way any more. */
  async close(): Promise<void> {
    this.node = undefined
    this.timers.clear()
    await Promise.all(this.answering)
  }

  /** One step on behalf of a caller; what `run` throws is the caller's. */
  step<T>(run: (now: Millis) => T): T {
    assert(!this.stepping, 'an input arrived in the middle of a step')
    this.stepping = true
    try {
      return run(this.init.clock.now())
    } finally {
      this.stepping = false
      this.carryOut()
    }
  }

  onFrame(from: NodeRef, frame: Uint8Array): false | void {
    this.framesIn++
    this.bytesIn += frame.length
    if (this.node === undefined) return
    let message: Message
    try {
      message = this.node.codec.decode(frame, this.init.link.readRef)
    } catch {
      this.framesGarbled++
      return false
    }
    this.receive(from, message)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause): void {
    this.input('peer down', (node, now) => node.onPeerDown(peer, cause, now, this))
  }

  send(to: NodeRef, message: Message): void {
    this.outbox.push({ to, message })
  }

  startTimer(timer: Timer, delayMs: Millis): void {
    this.timers.push(timer, delayMs)
  }

  emit(event: KbrEvent): void {
    if (this.events.push(event) === 1) queueMicrotask(() => this.tell())
  }

  ask(application: string, token: number, question: Question): void {
    this.questions.push({ application, token, question })
  }

  stats(): LoopStats {
    const { framesIn, framesOut, bytesIn, bytesOut, framesGarbled, faults } = this
    return { framesIn, framesOut, bytesIn, bytesOut, framesGarbled, faults, timers: this.timers.size, questions: this.answering.size }
  }

  private receive(from: NodeRef, message: Message): void {
    this.input(message.type, (node, now) => node.onMessage(from, message, now, this))
  }

  /**
   * A step on behalf of the world. An exception is a bug of ours: it is told, and the node goes on, because one message that
   * trips it must not be a way to stop it.
   */
  private input(what: string, run: (node: KbrNode, now: Millis) => void): void {
    const node = this.node
    if (node === undefined) return
    try {
      this.step((now) => run(node, now))
    } catch (error) {
      this.fault(what, error)
    }
  }

  private carryOut(): void {
    const { outbox, questions } = this
    if (outbox.length > 0) {
      this.outbox = []
      for (const { to, message } of outbox) this.post(to, message)
    }
    if (questions.length > 0) {
      this.questions = []
      for (const { application, token, question } of questions) this.answer(application, token, question)
    }
  }

  private post(to: NodeRef, message: Message): void {
    const { link } = this.init
    if (to.id === link.self.id) {
      queueMicrotask(() => this.receive(link.self, message))
      return
    }
    try {
      const frame = this.node?.codec.encode(message)
      if (frame === undefined) return
      this.framesOut++
      this.bytesOut += frame.length
      link.send(to, frame, isPatient(message))
    } catch (error) {
      this.fault(`sending ${message.type}`, error)
    }
  }

  private answer(application: string, token: number, question: Question): void {
    const answered = answerTo(question, application, this.init.ports.get(application), this.init.link).then((answer: Answer) => {
      this.answering.delete(answered)
      this.input(question.kind, (node, now) => node.onAnswer(application, token, answer, now, this))
    })
    this.answering.add(answered)
  }

  private tell(): void {
    const events = this.events
    this.events = []
    for (const event of events) this.init.onEvent(event)
  }

  private fault(during: string, error: unknown): void {
    this.faults++
    const event: HostFault = {
      type: 'host:fault',
      during,
      error: error instanceof Error ? error : new PlaxtonError('Error', 'ERR_UNKNOWN', String(error)),
    }
    this.emit(event)
  }
}

/** An answer often follows its acknowledgement in the same turn of the event loop; a write costs more than the frame. */
function isPatient({ type }: Message): boolean {
  return type === 'ack'
}

/** A core threw while it handled an input: a bug of Plaxton. The node goes on. */
export interface HostFault {
  readonly type: 'host:fault'
  /** The input: a message type, `timer`, `peer down` or a question's kind. */
  readonly during: string
  readonly error: Error
}
