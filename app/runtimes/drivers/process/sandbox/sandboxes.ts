import { realpath } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import type { InstanceLimits } from '#runtimes/contract'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { AgentFolder, AgentUser } from '#runtimes/drivers/process/agent_folder'
import { openCgroups, type AgentCgroups } from '#runtimes/drivers/process/sandbox/cgroups'
import type { SandboxInput } from '#runtimes/drivers/process/sandbox/sandbox'
import { closing, Egress, type EgressSetting } from '#runtimes/drivers/process/sandbox/egress'
import { Gate } from '#runtimes/drivers/process/sandbox/gate'
import type { View } from '#runtimes/drivers/process/sandbox/view'

/** The sandboxes of one agents' folder: the gate between them and Mosaic, and their cgroups. */
export class Sandboxes {
  readonly gate: Gate
  readonly egress: Egress
  readonly cgroups: AgentCgroups | null
  readonly #agents: string
  #leftCleared: Promise<void> | null = null

  /**
   * @param agents the folder of all agents; absolute and without links
   * @param cgroups false disables cgroups
   */
  constructor(agents: string, egress: () => Promise<EgressSetting>, cgroups?: false) {
    this.#agents = agents
    this.gate = new Gate(agents)
    this.egress = new Egress(this.gate.name, egress)
    this.cgroups = cgroups === false ? null : openCgroups(this.gate.name)
  }

  /** Creates the gate, and its route to the internet if the settings allow it. The first call clears leftover gates. */
  async prepare(): Promise<string[]> {
    await this.gate.enter()
    await (this.#leftCleared ??= this.gate.clearLeft(closing))
    return this.egress.apply()
  }

  /** Returns the input of this agent's sandbox, after ensuring that the gate exists. */
  async plan(
    record: AgentRecord & { user: AgentUser },
    folder: AgentFolder,
    view: View,
    limits: InstanceLimits
  ): Promise<Omit<SandboxInput, 'command'>> {
    const nameServers = await this.prepare()
    return {
      gate: this.gate,
      user: record.user,
      nameServers: this.egress.isOpen ? nameServers : null,
      agents: this.#agents,
      folder: folder.path,
      workingFolder: view.folder.state,
      mounts: view.mounts,
      cgroups: this.cgroups?.prepare(record.name, limits) ?? [],
      processes: this.cgroups?.limits ? null : limits.processes,
    }
  }

  /** Returns the same for a probe, which has neither a folder nor data. */
  async probePlan(user: AgentUser, node: string): Promise<Omit<SandboxInput, 'command'>> {
    const nameServers = await this.prepare()
    const path = await realpath(node)
    return {
      gate: this.gate,
      user,
      nameServers: this.egress.isOpen ? nameServers : null,
      agents: this.#agents,
      folder: null,
      workingFolder: '/',
      mounts: [{ path, at: path }],
      cgroups: [],
      processes: null,
    }
  }

  listen(port: number): Promise<Server> {
    return this.gate.listen(port)
  }

  dial(address: string, port: number, signal?: AbortSignal): Promise<Socket> {
    return this.gate.dial(address, port, signal)
  }

  async close(): Promise<void> {
    await this.gate.leave(closing(this.gate.name))
    this.cgroups?.remove('.')
  }
}
