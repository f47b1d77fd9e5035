import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupMemory, type CgroupMemory } from '#runtimes/cgroup_memory'
import type { MachineMemory, MemoryUse } from '#runtimes/contract'
import type { Found } from '#runtimes/drivers/docker/containers'
import type { Engine } from '#runtimes/engine/engine'
import { hasSwapRoom, readMachineMemory } from '#runtimes/machine_memory'

const CGROUPS = '/sys/fs/cgroup'

/**
 * The memory of containers, read from their cgroups, because the engine's API neither reports swap nor moves
 * memory. Requires an engine on this machine and, to move memory, root; elsewhere usage is unknown and
 * nothing moves.
 */
export class ContainerMemory {
  readonly #engine: Engine
  readonly #root: string

  /** @param root of the file system with `/proc` and `/sys`; tests use another than `/` */
  constructor(engine: Engine, root = '/') {
    this.#engine = engine
    this.#root = root
  }

  async use(found: Found): Promise<MemoryUse | null> {
    return (await this.#group(found))?.use() ?? null
  }

  /** Checks `isPaused` before each step. */
  async pageOut(found: Found, isPaused: () => Promise<boolean>): Promise<void> {
    const group = await this.#group(found)
    await group?.pageOut(async () => {
      const machine = await this.#machine()
      return machine !== null && hasSwapRoom(machine) && (await isPaused())
    })
  }

  /** Call it before the container resumes. */
  async restore(found: Found): Promise<void> {
    await (await this.#group(found))?.restore()
  }

  /** Returns null unless the engine runs on this machine. */
  async machine(): Promise<MachineMemory | null> {
    if (!this.#engine.isLocal) return null
    const [here, info] = await Promise.all([
      this.#machine(),
      this.#engine.call((docker) => docker.info()),
    ])
    /** The socket may lead into a virtual machine, as on a desktop. */
    return here?.total === info.MemTotal ? here : null
  }

  #machine(): Promise<MachineMemory | null> {
    return readMachineMemory(join(this.#root, 'proc/meminfo'))
  }

  async #group({ Id: id, State: { Pid: pid } }: Found): Promise<CgroupMemory | null> {
    if (!this.#engine.isLocal || !pid) return null
    const text = await readFile(join(this.#root, `proc/${pid}/cgroup`), 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      const [, controllers, path] = /^\d+:([^:]*):(.+)$/.exec(line) ?? []
      /** If the process with this number is not the container's, the container runs on another machine. */
      if (!path?.includes(id)) continue
      const isMemory = controllers.split(',').includes('memory')
      const tree = controllers === '' ? '' : isMemory ? 'memory' : null
      const group = tree === null ? null : cgroupMemory(join(this.#root, CGROUPS, tree, path))
      if (group) return group
    }
    return null
  }
}
