import type { Replies } from '@plaxton/kbr'
import { assert } from '@plaxton/kbr'

/**
 * Replies that arrive one by one. Whoever looks for them later gets those from before too; at most as many as hosts were asked, 16. When nobody looks, a
 * failure goes unnoticed, as with any message.
 */
export class ReplyList implements Replies {
  private readonly replies: Uint8Array[] = []
  private over: { readonly error?: unknown } | undefined
  /** Those who wait for the next reply or the end. */
  private waiting: Array<() => void> = []

  add(reply: Uint8Array): void {
    this.replies.push(reply)
    this.wake()
  }

  /** There will be no more. */
  end(): void {
    this.over = {}
    this.wake()
  }

  fail(error: unknown): void {
    this.over = { error }
    this.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let i = 0; ; i++) {
      while (i >= this.replies.length && this.over === undefined) await this.news()
      if (i < this.replies.length) yield this.replies[i]!
      else if (this.over !== undefined && 'error' in this.over) throw this.over.error
      else return
    }
  }

  // oxlint-disable-next-line unicorn/no-thenable
  then<R = Uint8Array, E = never>(
    onReply?: ((reply: Uint8Array) => R | PromiseLike<R>) | null,
    onFailure?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.first().then(onReply, onFailure)
  }

  private async first(): Promise<Uint8Array> {
    for await (const reply of this) return reply
    assert(false, 'a message ends with a reply or an error')
  }

  private news(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private wake(): void {
    const { waiting } = this
    this.waiting = []
    for (const each of waiting) each()
  }
}
