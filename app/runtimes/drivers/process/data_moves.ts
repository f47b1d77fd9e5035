import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { InstanceRef, InstanceSpec, RuntimeContext } from '#runtimes/contract'
import { pack, unpack } from '#runtimes/drivers/process/data'
import { explained } from '#runtimes/drivers/process/disk_errors'
import { deleteFolder } from '#runtimes/drivers/process/hostile_tree'
import type { AgentRecord } from '#runtimes/drivers/process/records'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'
import type { Terminator } from '#runtimes/drivers/process/terminator'

/** Moves agents' data from and to other runtimes: the driver's verbs of the same names. */
export class DataMoves {
  readonly #open: () => Promise<AgentRegistry>
  readonly #terminator: Terminator

  constructor(open: () => Promise<AgentRegistry>, terminator: Terminator) {
    this.#open = open
    this.#terminator = terminator
  }

  async exportData({ name }: InstanceRef, { signal }: RuntimeContext): Promise<Readable | null> {
    const agents = await this.#open()
    const record = await agents.find(name)
    const folder = record && agents.folder(record)
    return folder && existsSync(folder.state) ? pack(folder, signal) : null
  }

  async importData(spec: InstanceSpec, data: Readable, { signal }: RuntimeContext): Promise<void> {
    try {
      const agents = await this.#open()
      await agents.exclusively(spec.name, signal, async () => {
        const record = await agents.adaptUser(await agents.claim(spec))
        const folder = agents.folder(record)
        await this.#terminator.killRest(record, folder)
        await folder.makeIncoming()
        try {
          await unpack(folder, folder.incoming, data, signal)
          await folder.takeIncoming()
        } finally {
          await folder.dropIncoming()
        }
      })
    } catch (error) {
      throw signal.aborted ? signal.reason : explained(error)
    }
  }

  /** Checks before locking: at nearly every start nothing is set aside. */
  async keepImport({ name }: InstanceRef): Promise<void> {
    try {
      const agents = await this.#open()
      const record = await agents.find(name)
      if (!record) return
      const { replaced } = agents.folder(record)
      if (!existsSync(replaced)) return
      const doomed = await agents.exclusively(name, null, async () =>
        existsSync(replaced) ? agents.doom(replaced) : null
      )
      if (doomed) await deleteFolder(doomed)
    } catch (error) {
      throw explained(error)
    }
  }

  /** Deletes imported state. Nothing of the agent may run, and no one else may change it. */
  async undo(record: AgentRecord, agents: AgentRegistry): Promise<void> {
    const { state } = agents.folder(record)
    if (existsSync(state)) await deleteFolder(await agents.doom(state))
  }
}
