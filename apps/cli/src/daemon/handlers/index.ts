import { get } from './get.ts'
import { list } from './list.ts'
import { lookup, peers, status } from './network.ts'
import { host, locate, publish, send, unpublish } from './objects.ts'
import { put } from './put.ts'
import { remove } from './remove.ts'
import { stat } from './stat.ts'
import type { Handler } from '../../control/server.ts'
import type { Context } from './context.ts'

/** What a daemon can do for its clients, by command. */
export function handlersOf(context: Context): Record<string, Handler> {
  return {
    put: (call) => put(context, call),
    get: (call) => get(context, call),
    rm: (call) => remove(context, call),
    ls: (call) => list(context, call),
    stat: (call) => stat(context, call),
    publish: (call) => publish(context, call),
    unpublish: (call) => unpublish(context, call),
    locate: (call) => locate(context, call),
    send: (call) => send(context, call),
    host: (call) => host(context, call),
    peers: () => peers(context),
    lookup: (call) => lookup(context, call),
    status: () => status(context),
  }
}
