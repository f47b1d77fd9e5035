import { readKernelFile } from '#runtimes/drivers/process/kernel_file'
import { PRIVATE_NETWORKS } from '#runtimes/private_networks'
import { BRIDGE, OUT } from '#runtimes/drivers/process/sandbox/gate'
import { runScript } from '#runtimes/drivers/process/sandbox/shell'

export type EgressSetting = 'open' | 'sealed'

/** As long as a shared bridge relies on its rules. */
const RECHECK_MS = 30_000

/** The system's name server files; the second is used if the first names only a stub on loopback. */
const NAME_SERVERS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/**
 * The agents' route to the public internet: a veth pair from the gate to the machine, with address
 * translation at both ends. Packet filters drop traffic to private networks in the gate and traffic to
 * the machine itself on the machine. Without `iptables` there is no route, and `failure` has the
 * reason.
 */
export class Egress {
  readonly #gate: string
  readonly #setting: () => Promise<EgressSetting>
  readonly #recheckMs: number
  #applying: Promise<unknown> = Promise.resolve()
  #applied: EgressSetting | null = null
  /** What the rules were made for, and when, on the monotonic clock. */
  #made = { key: '', at: -Infinity }
  failure: Error | null = null

  /**
   * @param gate the name of the gate's network
   * @param recheckMs milliseconds after which rules are made again
   */
  constructor(gate: string, setting: () => Promise<EgressSetting>, recheckMs = RECHECK_MS) {
    this.#gate = gate
    this.#setting = setting
    this.#recheckMs = recheckMs
  }

  /**
   * Opens or closes the route according to the current setting, and restores missing packet filters.
   *
   * @returns the name servers that agents may use; none if the route is closed
   */
  apply(): Promise<string[]> {
    // Serialized: two calls that create the veth pair at once would each delete the other's.
    const applied = this.#applying.then(() => this.#apply())
    this.#applying = applied.catch(() => {})
    return applied
  }

  async #apply(): Promise<string[]> {
    const wanted = await this.#setting()
    const nameServers = wanted === 'open' ? nameServersOf(NAME_SERVERS) : []
    const key = [wanted, ...nameServers].join(' ')
    const now = performance.now()
    // Other managers of the packet filter may have removed the rules.
    if (key !== this.#made.key || now - this.#made.at >= this.#recheckMs) {
      const script = wanted === 'open' ? opening(this.#gate, nameServers) : closing(this.#gate)
      // Once more before all agents lose the route: another program may hold the lock of the packet filter.
      this.failure = (await failureOf(script)) && (await failureOf(script))
      this.#applied = this.failure ? null : wanted
      this.#made = { key: this.failure ? '' : key, at: now }
      if (this.failure) await runScript(closing(this.#gate)).catch(() => {})
    }
    return this.failure ? [] : nameServers
  }

  get isOpen(): boolean {
    return this.#applied === 'open'
  }
}

async function failureOf(script: string): Promise<Error | null> {
  return runScript(script).then(
    () => null,
    (error: Error) => error
  )
}

/** Returns the name servers of the first file that names any outside this machine's loopback. */
export function nameServersOf(files: string[]): string[] {
  for (const file of files) {
    const servers = read(file).matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)
    const reachable = [...servers].map(([, server]) => server).filter((one) => !/^127\./.test(one))
    if (reachable.length > 0) return reachable
  }
  return []
}

/** Derives the machine's end of the veth pair and its addresses from the gate's name. */
function cableOf(gate: string) {
  const print = Number.parseInt(gate.slice(-6), 16)
  const [third, fourth] = [(print % 160) + 1, ((print >> 8) % 60) * 4]
  const address = (last: number) => `169.254.${third}.${fourth + last}`
  return { end: `ag${gate.slice(-10)}`, machine: address(1), gate: address(2), range: address(0) }
}

function opening(gate: string, nameServers: string[]): string {
  const { end, machine, gate: inner, range } = cableOf(gate)
  const rules = machineRules(end, range)
  const iptables = (table: string) => `iptables -w 5 -t ${table}`
  const are = rules.map(({ table, rule }) => `${iptables(table)} -C ${rule} 2>/dev/null`)
  const put = rules.flatMap(({ table, rule, put: how }) => [
    `${iptables(table)} -D ${rule} 2>/dev/null || :`,
    `${iptables(table)} ${how} ${rule}`,
  ])
  // All of them, as their order counts.
  return `
    if ! { ${are.join(' && ')}; }; then
    ${put.join('\n')}
    fi
    nsenter --net=/run/netns/${gate} iptables-restore <<'RULES'
${gateRules(nameServers)}
RULES
    if ! ip -n ${gate} link show ${OUT} >/dev/null 2>&1; then
      ip link add ${end} type veth peer name ${OUT} netns ${gate}
      ip addr add ${machine}/30 dev ${end}
      ip link set ${end} addrgenmode none
      ip link set ${end} up
      ip -n ${gate} addr add ${inner}/30 dev ${OUT}
      ip -n ${gate} link set ${OUT} up
      ip -n ${gate} route add default via ${machine}
    fi
    echo 1 >/proc/sys/net/ipv4/ip_forward
    nsenter --net=/run/netns/${gate} /bin/sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'`
}

/** Also used when the gate is removed. */
export function closing(gate: string): string {
  const { end, range } = cableOf(gate)
  const rules = machineRules(end, range)
  return `
    ip link delete ${end} 2>/dev/null || :
    command -v iptables >/dev/null || exit 0
    ${rules.map(({ table, rule }) => `iptables -w 5 -t ${table} -D ${rule} 2>/dev/null || :`).join('\n')}`
}

/** Forwards packets from the veth pair, but never to this machine, and masquerades them as its own. */
function machineRules(end: string, range: string) {
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED'
  return [
    { table: 'filter', put: '-I', rule: `INPUT -i ${end} -j DROP` },
    { table: 'filter', put: '-I', rule: `FORWARD -i ${end} -j ACCEPT` },
    { table: 'filter', put: '-I', rule: `FORWARD -o ${end} ${answers} -j ACCEPT` },
    // A machine port that forwards to a container or a virtual machine also counts as the machine.
    { table: 'filter', put: '-I', rule: `FORWARD -i ${end} -m conntrack --ctstate DNAT -j DROP` },
    { table: 'nat', put: '-A', rule: `POSTROUTING -s ${range}/30 ! -o ${end} -j MASQUERADE` },
  ]
}

function gateRules(nameServers: string[]): string {
  const names = nameServers.flatMap((server) =>
    ['udp', 'tcp'].map((protocol) => `-d ${server}/32 -p ${protocol} --dport 53 -j ACCEPT`)
  )
  const closed = PRIVATE_NETWORKS.map((range) => `-d ${range} -j DROP`)
  const rules = ['-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT', ...names, ...closed]
  return [
    '*nat',
    ':POSTROUTING ACCEPT [0:0]',
    `-A POSTROUTING -o ${OUT} -j MASQUERADE`,
    'COMMIT',
    '*filter',
    ':FORWARD DROP [0:0]',
    ...rules.map((rule) => `-A FORWARD ${rule}`),
    `-A FORWARD -i ${BRIDGE} -o ${OUT} -j ACCEPT`,
    'COMMIT',
  ].join('\n')
}

const read = (path: string) => readKernelFile(path) ?? ''
