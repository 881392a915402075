export { KbrNode } from './kbr-node.ts'
export type { KbrNodeInit } from './kbr-node.ts'
export { routingDefaults } from './config.ts'
export type { RoutingConfig } from './config.ts'
export type { LookedUpEvent, LookupOptions } from './lookups.ts'
export { IterativeLookup } from './iterative.ts'
export type { RoutingStats } from './stats.ts'
export { maxFound, overlayName, routingMessageTypes } from './messages.ts'
export type {
  AckMessage,
  FindMessage,
  FoundMessage,
  NackMessage,
  NackReason,
  RefusalMessage,
  ReplyMessage,
  RequestMessage,
  RequestRefusedMessage,
  ResponseMessage,
  RouteMessage,
  RoutingMessage,
  TellMessage,
} from './messages.ts'
export { frame, maxFrameBytes } from './codec.ts'
