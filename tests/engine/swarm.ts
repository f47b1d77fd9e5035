import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Engine } from '#tests/engine/engine'

const run = promisify(execFile)

/** What `test_swarm.mjs` tells the suites. */
interface Told {
  nodes: { name: string; address: string; host: string; control: string; proc: string }[]
  shared: string
  switch: string[]
}

/** The swarm that the run was given, or null where this run has none: its specs are for another run. */
export function testSwarm(): Swarm | null {
  const told = process.env.MOSAIC_TEST_SWARM
  return told ? new Swarm(JSON.parse(told) as Told) : null
}

/** An engine of the swarm; its socket answers even while its node is cut off. */
export class SwarmNode extends Engine {
  constructor(
    /** Its name in the swarm. */
    readonly name: string,
    /** Where the other node reaches it, and the manager's is where containers of both reach this process. */
    readonly address: string,
    ...engine: ConstructorParameters<typeof Engine>
  ) {
    super(...engine)
  }
}

/** The two nodes of the tests; this process is in the manager's network. */
export class Swarm {
  readonly manager: SwarmNode
  readonly worker: SwarmNode
  /** A folder that both nodes have at this path, as if mounted from a file server. A cut does not take it away. */
  readonly shared: string
  readonly #switch: string[]

  constructor(told: Told) {
    const [manager, worker] = told.nodes.map(
      ({ name, address, host, control, proc }) =>
        new SwarmNode(name, address, host, { control, proc })
    )
    this.manager = manager
    this.worker = worker
    this.shared = told.shared
    this.#switch = told.switch
  }

  get nodes(): SwarmNode[] {
    return [this.manager, this.worker]
  }

  /** The double of OpenClaw by its id, the same at both nodes: by a name, each start would ask a registry first. */
  async gatewayImage(): Promise<string> {
    const { Id } = await this.manager.docker.getImage(this.manager.gatewayImage).inspect()
    return Id
  }

  /** Cuts the worker off: its engine and containers run on, and no packet comes or goes. */
  cutOff(): Promise<void> {
    return this.#setPort('down')
  }

  /** Connects the worker again. Connected already is success. */
  reconnect(): Promise<void> {
    return this.#setPort('up')
  }

  async #setPort(state: 'up' | 'down'): Promise<void> {
    const [program, ...entering] = this.#switch
    await run(program, [...entering, 'ip', 'link', 'set', this.worker.name, state])
  }
}
