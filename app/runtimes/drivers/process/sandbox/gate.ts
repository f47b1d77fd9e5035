import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Server, Socket } from 'node:net'
import { FileLock } from '#runtimes/drivers/process/lock'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { GateSockets } from '#runtimes/drivers/process/sandbox/gate_sockets'
import { runScript } from '#runtimes/drivers/process/sandbox/shell'

/** The folder of `ip netns` names. A named network exists even without processes in it. */
const NAMED = '/run/netns'

export const BRIDGE = 'agents'

/** Part of 198.18.0.0/15, which is never public (RFC 2544) and not used otherwise in this closed network. */
export const ADDRESS_BITS = 15
/** Mosaic's own address in this network. */
export const GATE_ADDRESS = '198.18.0.1'
const ADDRESSES = 131_000

/** Every replica of Mosaic on the machine listens on this port, whatever its port elsewhere. */
export const GATE_PORT = 3334

/** The gate's end of the agents' route to the internet, if they have one. */
export const OUT = 'out'

/** Machine-wide lock, so that a gate under construction is not mistaken for a leftover one. */
const LOCK = '/run/mosaic-gates.lock'
const LOCK_TIMEOUT_MS = 30_000

const GATE_NAME = /^mosaic-[0-9a-f]{12}$/

/** Leftover gates removed per opening; each takes about 100 ms. */
const CLEARED_AT_ONCE = 8

/**
 * The network between Mosaic and the agents of one folder: a bridge with a veth pair to each agent, and
 * with all ports isolated from one another. It has no route to the machine, so an agent reaches only
 * Mosaic's listener there. Like the agents it outlives Mosaic, and all processes of Mosaic share it.
 */
export class Gate {
  readonly #lock: FileLock
  readonly sockets: GateSockets
  /** The network's name in `ip netns`. */
  readonly name: string

  /** @param folder the agents' folder, from which the gate's name derives; absolute and without links */
  constructor(folder: string, table = new ProcTable()) {
    this.#lock = new FileLock(table)
    this.name = `mosaic-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`
    this.sockets = new GateSockets(this.networkFile)
  }

  get networkFile(): string {
    return join(NAMED, this.name)
  }

  /** Creates the gate if missing, and stays in it, so that no process removes it before `leave`. */
  async enter(): Promise<void> {
    if (existsSync(this.networkFile) && this.sockets.isOpen) return
    await this.#exclusively(async () => {
      await runScript(making(this.name))
      await this.sockets.open()
    })
  }

  /** Listens for the agents' requests. */
  async listen(port: number): Promise<Server> {
    await this.enter()
    return this.sockets.listen(GATE_ADDRESS, port)
  }

  async dial(address: string, port: number, signal?: AbortSignal): Promise<Socket> {
    await this.enter()
    return this.sockets.dial(address, port, signal)
  }

  /**
   * Removes the gate if neither an agent nor another process of Mosaic needs it.
   *
   * @param closing a script that closes its route to the internet
   */
  async leave(closing: string): Promise<void> {
    if (!this.sockets.isOpen) return
    await this.sockets.close()
    await this.#exclusively(() => runScript(clearing(this.name, closing))).catch(() => {})
  }

  /**
   * Removes gates of killed Mosaic processes, and gates that could not be removed at shutdown. Keeps any gate
   * with an agent, a process or a listener, including those of other installations.
   *
   * @param closing builds the script that closes a gate's route to the internet, from its name
   */
  async clearLeft(closing: (name: string) => string): Promise<void> {
    const others = gateNames().filter((name) => name !== this.name)
    let cleared = 0
    for (const name of others) {
      if (cleared === CLEARED_AT_ONCE) return
      await this.#exclusively(() => runScript(clearingLeft(name, closing(name)))).then(
        () => cleared++,
        () => {}
      )
    }
  }

  async #exclusively(task: () => Promise<unknown>): Promise<void> {
    await this.#lock.run(LOCK, { timeoutMs: LOCK_TIMEOUT_MS }, async () => void (await task()))
  }
}

/** Derives an agent's address from its user id. No two agents of a folder share one. */
export function agentAddress(uid: number): string {
  const index = (uid % ADDRESSES) + 2
  const [third, fourth] = [(index >> 8) & 0xff, index & 0xff]
  return `198.${18 + (index >> 16)}.${third}.${fourth}`
}

/**
 * Derives the hardware address in the same way, so that the gate's cached entries stay valid after a
 * restart.
 */
export function hardwareAddress(uid: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => (uid >>> shift) & 0xff)
  return ['02', '6d', ...bytes.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

function making(name: string): string {
  return `
    [ -e ${NAMED}/${name} ] || ip netns add ${name}
    ip -n ${name} link show ${BRIDGE} >/dev/null 2>&1 && exit 0
    ip -n ${name} -batch - <<COMMANDS
link set lo up
link add ${BRIDGE} type bridge
link set ${BRIDGE} addrgenmode none
addr add ${GATE_ADDRESS}/${ADDRESS_BITS} dev ${BRIDGE}
link set ${BRIDGE} up
COMMANDS`
}

function clearing(name: string, closing: string): string {
  return `
    [ -z "$(ip netns pids ${name})" ]
    [ -z "$(ip -n ${name} -o link show type veth | grep -v ' ${OUT}@')" ]
    ( ${closing} )
    ip netns delete ${name}`
}

/** A listener may outlive its helper until Mosaic starts the next one. */
function clearingLeft(name: string, closing: string): string {
  return `
    [ -z "$(nsenter --net=${NAMED}/${name} grep -s ' 0A ' /proc/net/tcp /proc/net/tcp6)" ]
    ${clearing(name, closing)}`
}

function gateNames(): string[] {
  try {
    return readdirSync(NAMED).filter((name) => GATE_NAME.test(name))
  } catch {
    return []
  }
}
