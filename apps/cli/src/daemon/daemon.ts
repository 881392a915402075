import { ControlServer } from '../control/server.ts'
import { version } from '../version.ts'
import { Catalog } from './catalog.ts'
import { handlersOf } from './handlers/index.ts'
import { Objects } from './objects.ts'
import { PlaxtonNode } from './plaxton-node.ts'
import type { DaemonConfig } from './config.ts'

/** A node with a control socket. */
export class Daemon {
  readonly node: PlaxtonNode
  readonly catalog: Catalog
  readonly controlPath: string
  private readonly control: ControlServer

  private constructor(node: PlaxtonNode, catalog: Catalog, control: ControlServer) {
    this.node = node
    this.catalog = catalog
    this.control = control
    this.controlPath = control.path
  }

  /** Starts the node and listens for clients; joining goes on in the background. Rejects when either is not possible, with nothing left running. */
  static async start(config: DaemonConfig): Promise<Daemon> {
    const node = await PlaxtonNode.start(config)
    try {
      const catalog = await Catalog.open(node.directory.store)
      const context = { node, catalog, objects: new Objects(node.dolr), config, version }
      return new Daemon(node, catalog, await ControlServer.listen(config.control, handlersOf(context)))
    } catch (error) {
      await node.stop()
      throw error
    }
  }

  /** Refuses clients and ends the node as a killed process would. */
  async crash(): Promise<void> {
    await this.control.close()
    await this.node.crash()
  }

  /** Refuses clients, hands over, says goodbye. */
  async stop(): Promise<void> {
    await this.control.close()
    await this.node.stop()
  }
}
