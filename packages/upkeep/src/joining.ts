import type { Millis, NodeRef, OverlayEffects } from '@plaxton/kbr'
import type { History } from './history.ts'

/** An attempt to become a member, over as many rounds as it takes; what it does in them is the overlay's own. */
export interface JoinUnderWay {
  readonly startedAt: Millis
  /** The timer `join`. What becomes of the attempt: it goes on, its time is up, or this node has to begin a network of its own. */
  onTimer(arg: number, now: Millis, fx: OverlayEffects): 'joining' | 'failed' | 'founder'
}

/** What {@link Joining} knows of the node. */
export interface JoiningState {
  readonly self: NodeRef
  /** Anything but `outside`: it is a member, about to be one, or has left. */
  readonly standing: string
  readonly history: History
  readonly config: { readonly joinMs: Millis }
}

/** What {@link Joining} has the node do. */
export interface JoiningActions<Join> {
  /** Sets out through one of `contacts`. */
  begin(contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): Join
  /** Begins a network of its own. */
  found(since: Millis, now: Millis, fx: OverlayEffects): void
  /** As a member: has `contact` look for this node's place in another network. */
  seek(contact: NodeRef, fx: OverlayEffects): void
  /** It has been a member: it tries again by itself at its next look for others. */
  wasMember(): boolean
}

/** Whether a node is joining, through whom, and what becomes of it. The same in every overlay. */
export class Joining<Join extends JoinUnderWay> {
  /** Undefined except while joining. */
  current: Join | undefined = undefined
  /** Those given with the command. */
  bootstraps: readonly NodeRef[] = []
  private readonly state: JoiningState
  private readonly actions: JoiningActions<Join>

  constructor(state: JoiningState, actions: JoiningActions<Join>) {
    this.state = state
    this.actions = actions
  }

  /** The command `join`. A member that is told of others may be told of another network. */
  command(bootstrap: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    const { state, actions } = this
    const others = bootstrap.filter(({ id }) => id !== state.self.id)
    if (state.standing === 'member') for (const ref of others) actions.seek(ref, fx)
    if (state.standing !== 'outside' || this.current !== undefined) return
    this.bootstraps = [...others]
    if (others.length === 0) actions.found(now, now, fx)
    else this.begin(others, now, fx)
  }

  /** Those to start over through: the bootstrap nodes and past contacts. */
  contacts(): NodeRef[] {
    return [...this.bootstraps, ...this.state.history.all()]
  }

  begin(contacts: readonly NodeRef[], now: Millis, fx: OverlayEffects): void {
    this.current = this.actions.begin(contacts, now, fx)
  }

  onTimer(arg: number, now: Millis, fx: OverlayEffects): void {
    const { current } = this
    if (current === undefined) return
    const outcome = current.onTimer(arg, now, fx)
    if (outcome === 'founder') return this.actions.found(current.startedAt, now, fx)
    if (outcome === 'joining') return
    this.current = undefined
    if (this.actions.wasMember()) return
    const reason = `None of ${this.bootstraps.length} bootstrap nodes could be joined through within ${this.state.config.joinMs} ms.`
    fx.emit({ type: 'join-failed', reason })
  }

  /** It is a member now, or has left. */
  end(): void {
    this.current = undefined
  }
}
