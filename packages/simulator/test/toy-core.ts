import type { Answer, Core, Effects, Message, Millis, NodeRef, PeerDownCause, Timer } from '@plaxton/kbr'

interface ToyMessage extends Message {
  readonly type: 'ping' | 'pong'
  readonly text: string
}

/** The least a core can be: answers pings, keeps a diary of its inputs. */
export class ToyCore implements Core {
  readonly self: NodeRef
  readonly diary: string[] = []

  constructor(self: NodeRef) {
    this.self = self
  }

  onMessage(from: NodeRef, message: Message, now: Millis, fx: Effects): void {
    const { type, text } = message as ToyMessage
    this.diary.push(`${now} ${type} ${text} from ${from.address}#${from.epoch}`)
    if (type === 'ping') fx.send(from, { type: 'pong', text } as ToyMessage)
  }

  onTimer(timer: Timer, now: Millis, _fx: Effects): void {
    this.diary.push(`${now} timer ${timer.kind} ${timer.arg}`)
  }

  onPeerDown(peer: NodeRef, cause: PeerDownCause, now: Millis, _fx: Effects): void {
    this.diary.push(`${now} ${cause} ${peer.address}#${peer.epoch}`)
  }

  onAnswer(application: string, token: number, answer: Answer, now: Millis, _fx: Effects): void {
    this.diary.push(`${now} ${application} ${token} ${answer.kind}`)
  }
}
