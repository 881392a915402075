import type { Guid } from '@plaxton/guid'
import { guidOf } from '@plaxton/guid'
import type { Answer, AppEffects, Application, ForwardDecision, Millis, NodeRef, Reply, ReplyHandle, RoutedMessage } from '@plaxton/kbr'
import { randomKey } from '../src/index.ts'
import type { KeyPort, Link, LinkReceiver, StorePort } from '../src/index.ts'

export const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const bytesText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const refOf = (name: string): NodeRef => ({ id: guidOf(textBytes(name)), address: `memory:${name}`, epoch: 1 })

/**
 * An application that keeps what it is told, in words, and answers routed messages with its node's address. The message `boom` makes
 * it throw, as a bug would.
 */
export class Toy implements Application {
  readonly name: string
  readonly log: string[] = []
  readonly answers: Array<[token: number, answer: Answer]> = []
  private readonly wanted: Array<{ line: string; found: () => void }> = []

  constructor(name = 'toy') {
    this.name = name
  }

  /** Resolves when `line` is in the log. */
  async saw(line: string): Promise<void> {
    if (this.log.includes(line)) return
    await new Promise<void>((found) => void this.wanted.push({ line, found }))
  }

  onStart(): void {
    this.note('start')
  }

  deliver(message: RoutedMessage, _now: Millis, fx: AppEffects): void {
    const text = bytesText(message.payload)
    if (text === 'boom') throw new Error('a bug')
    this.note(`deliver ${text}`)
    fx.reply(message.reply, textBytes(fx.self.address))
  }

  forward(): ForwardDecision {
    return { action: 'continue' }
  }

  update(node: NodeRef, joined: boolean): void {
    this.note(`${joined ? 'joined' : 'gone'} ${node.address}`)
  }

  onRequest(from: NodeRef, payload: Uint8Array, reply: ReplyHandle, _now: Millis, fx: AppEffects): void {
    this.note(`request from ${from.address}: ${bytesText(payload)}`)
    fx.reply(reply, payload)
  }

  onReply(_requestId: number, reply: Reply): void {
    this.note(reply.ok ? `reply ${bytesText(reply.payload)}` : `failed: ${reply.failure.reason}`)
  }

  onTimer(kind: string, arg: number, now: Millis): void {
    this.note(`timer ${kind} ${arg} at ${now}`)
  }

  onAnswer(token: number, answer: Answer): void {
    this.answers.push([token, answer])
    this.note(`answer ${token}`)
  }

  onLeave(_now: Millis, fx: AppEffects): void {
    fx.handedOver()
  }

  private note(line: string): void {
    this.log.push(line)
    for (const { found } of this.wanted.filter((want) => want.line === line)) found()
  }
}

/** A link with nobody at the other end: keeps what is sent, and hands over what the test makes arrive. */
export class LooseLink implements Link {
  readonly self: NodeRef
  readonly sent: Array<{ to: NodeRef; frame: Uint8Array }> = []
  readonly kept: string[][] = []
  receiver: LinkReceiver | undefined
  closed = false

  constructor(self: NodeRef) {
    this.self = self
  }

  readRef(id: Guid, address: string, epoch: number): NodeRef {
    return { id, address, epoch }
  }

  key(): Promise<KeyPort> {
    return randomKey()
  }

  isKeyOf(): boolean {
    return false
  }

  async open(receiver: LinkReceiver): Promise<void> {
    this.receiver = receiver
  }

  send(to: NodeRef, frame: Uint8Array): void {
    this.sent.push({ to, frame })
  }

  keep(peers: readonly NodeRef[]): void {
    this.kept.push(peers.map(({ address }) => address).toSorted())
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

/** A store whose every call waits for the test to end it, or fails. */
export class HeldStore implements StorePort {
  readonly held: Array<() => void> = []
  failure: Error | undefined

  async read(): Promise<undefined> {
    await this.hold()
    return undefined
  }

  async write(): Promise<void> {
    await this.hold()
  }

  async list(): Promise<[]> {
    await this.hold()
    return []
  }

  async close(): Promise<void> {}

  private hold(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((release) => void this.held.push(release))
  }
}
