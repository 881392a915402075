import type { Replies } from '@plaxton/kbr'

/** The replies to a message that is not sent yet. Held in an object, because a promise of something with a `then` waits for that too. */
export class LateReplies implements Replies {
  private readonly sent: Promise<{ readonly replies: Replies }>

  constructor(sent: Promise<{ readonly replies: Replies }>) {
    this.sent = sent
    // When nobody looks for the replies, a failure goes unnoticed, as with any message.
    sent.catch(() => {})
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { replies } = await this.sent
    yield* replies
  }

  // oxlint-disable-next-line unicorn/no-thenable
  then<R = Uint8Array, E = never>(
    onReply?: ((reply: Uint8Array) => R | PromiseLike<R>) | null,
    onFailure?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.sent.then(({ replies }) => replies).then(onReply, onFailure)
  }
}
