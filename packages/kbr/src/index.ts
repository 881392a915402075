export { maxAddressLength, sameNode } from './node-ref.ts'
export type { Millis, NodeRef, RefReader } from './node-ref.ts'
export type { Answer, Core, Effects, Message, PeerDownCause, Question, StoreEntry, Timer } from './effects.ts'
export type {
  AppEffects,
  Application,
  ForwardDecision,
  Kbr,
  KeyRange,
  Reply,
  ReplyHandle,
  RequestOptions,
  RouteFailure,
  RouteFailureReason,
  RouteOptions,
  RoutedMessage,
} from './kbr.ts'
export type { Avoid, MessageCodec, Metric, NextHop, Overlay, OverlayEffects, OverlayFactory } from './overlay.ts'
export type { ApplicationEvent, KbrEvent } from './events.ts'
export type {
  AbortSignalLike,
  CallOptions,
  Dht,
  Dolr,
  HostedObject,
  LocateOptions,
  Inspection,
  ObjectHandler,
  ProgressEvent,
  PutOptions,
  PutReceipt,
  RemoveReceipt,
  Replies,
  WriteQuorum,
} from './services.ts'
export {
  AlreadyExistsError,
  DeadlineError,
  InvalidValueError,
  NotFoundError,
  NotOwnerError,
  NotReadyError,
  PlaxtonError,
  QuorumError,
  RouteError,
  assert,
  unreachable,
} from './errors.ts'
export { configOf } from './config.ts'
export type { Bounds } from './config.ts'
export { Prng } from './prng.ts'
