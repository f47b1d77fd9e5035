import { execFile, type ExecFileException } from 'node:child_process'
import { publicOnly, publicOnlyCommands } from '#runtimes/private_networks'
import { shortHash } from '#runtimes/engine/short_hash'

const DEADLINE_MS = 10_000

export interface FirewallInput {
  /** The agents' bridge. */
  bridge: string
  /** The bridge's own address, at which agents reach Mosaic's internal listener. */
  address: string
  port: number
}

/**
 * Packet filter between agents and everything but the public internet. From their bridge agents reach
 * one port of this machine, no other agent and no private network. The rules are in two dedicated
 * chains, which are replaced atomically. Forwarded packets are dropped in table `mangle`, which
 * precedes the rules of any engine: Podman inserts its own first in `filter`.
 */
export class Firewall {
  readonly #input: FirewallInput
  readonly #chain: string

  constructor(input: FirewallInput) {
    this.#input = input
    this.#chain = `MOSAIC-${shortHash(input.bridge)}`
  }

  /** Installs missing rules. Returns the error if this process may not. */
  async failure(): Promise<Error | null> {
    return this.#install().then(
      () => null,
      (error: Error) => error
    )
  }

  async #install(): Promise<void> {
    await run('iptables-restore', ['--wait', '5', '--noflush'], this.#rules())
    await this.#jump('filter', 'INPUT', this.#chain)
    await this.#jump('mangle', 'FORWARD', `${this.#chain}-F`)
    await this.#closeIpv6()
  }

  /** The commands for an operator to run when Mosaic may not. */
  commands(): string {
    const { bridge, address, port } = this.#input
    return [
      `iptables -I INPUT -i ${bridge} -m conntrack --ctstate NEW -j DROP`,
      `iptables -I INPUT -i ${bridge} -d ${address} -p tcp --dport ${port} -j ACCEPT`,
      ...publicOnlyCommands(`-i ${bridge}`),
      `iptables -t mangle -I FORWARD -i ${bridge} -o ${bridge} -m conntrack --ctstate NEW -j DROP`,
    ].join(' && ')
  }

  #rules(): string {
    const { bridge, address, port } = this.#input
    const [host, beyond] = [this.#chain, `${this.#chain}-F`]
    const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN'
    return [
      '*filter',
      `:${host} - [0:0]`,
      `-A ${host} ${answers}`,
      `-A ${host} -d ${address}/32 -p tcp -m tcp --dport ${port} -j ACCEPT`,
      `-A ${host} -j DROP`,
      'COMMIT',
      '*mangle',
      `:${beyond} - [0:0]`,
      `-A ${beyond} ${answers}`,
      // Docker separates agents by a network option that Podman does not have.
      `-A ${beyond} -o ${bridge} -j DROP`,
      ...publicOnly(beyond),
      'COMMIT',
      '',
    ].join('\n')
  }

  async #jump(table: string, from: string, to: string): Promise<void> {
    const rule = [from, '-i', this.#input.bridge, '-j', to]
    const inTable = ['--wait', '5', '-t', table]
    const isThere = await run('iptables', [...inTable, '-C', ...rule]).then(
      () => true,
      () => false
    )
    if (!isThere) await run('iptables', [...inTable, '-I', ...rule])
  }

  /** The bridge has a link-local IPv6 address. Without IPv6 there is nothing to block. */
  async #closeIpv6(): Promise<void> {
    const rule = ['INPUT', '-i', this.#input.bridge, '-j', 'DROP']
    await run('ip6tables', ['--wait', '5', '-C', ...rule])
      .catch(() => run('ip6tables', ['--wait', '5', '-I', ...rule]))
      .catch(() => {})
  }
}

function run(program: string, args: string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: DEADLINE_MS, env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } }
    const child = execFile(program, args, options, (error, _, complaint) => {
      if (!error) return resolve()
      reject(new Error(reasonOf(program, error, complaint), { cause: error }))
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

function reasonOf(program: string, error: ExecFileException, complaint: string): string {
  if (error.code === 'ENOENT') return `the program ${program} is missing`
  return complaint.trim().split('\n')[0] || error.message
}
