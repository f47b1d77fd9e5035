import { readKernelFile } from '#runtimes/drivers/process/kernel_file'
import { PRIVATE_NETWORKS } from '#runtimes/private_networks'
import { BRIDGE, OUT } from '#runtimes/drivers/process/sandbox/gate'
import { runScript } from '#runtimes/drivers/process/sandbox/shell'

export type EgressSetting = 'open' | 'sealed'

/** Where the system keeps its name servers; the second, where the first only names a stub on loopback. */
const NAME_SERVERS = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/**
 * The way of agents to the public internet: a cable from the gate to the machine, with address translation
 * at both ends. Packet filters of the gate drop what is meant for private networks, one of the machine what is
 * meant for itself. Without `iptables` there is no way out, and `failure` says why.
 */
export class Egress {
  readonly #gate: string
  readonly #setting: () => Promise<EgressSetting>
  #applying: Promise<unknown> = Promise.resolve()
  #applied: EgressSetting | null = null
  failure: Error | null = null

  /** @param gate the name of its network */
  constructor(gate: string, setting: () => Promise<EgressSetting>) {
    this.#gate = gate
    this.#setting = setting
  }

  /**
   * Opens or closes the way as the setting says now.
   *
   * @returns the name servers that agents may ask; none where the way is closed
   */
  apply(): Promise<string[]> {
    // One at a time: two that make the cable at once would each take the other's away.
    const applied = this.#applying.then(() => this.#apply())
    this.#applying = applied.catch(() => {})
    return applied
  }

  async #apply(): Promise<string[]> {
    const wanted = await this.#setting()
    const nameServers = wanted === 'open' ? nameServersOf(NAME_SERVERS) : []
    if (wanted !== this.#applied) {
      this.failure = await runScript(
        wanted === 'open' ? opening(this.#gate, nameServers) : closing(this.#gate)
      ).then(
        () => null,
        (error: Error) => error
      )
      this.#applied = this.failure ? null : wanted
      if (this.failure) await runScript(closing(this.#gate)).catch(() => {})
    }
    return this.failure ? [] : nameServers
  }

  get isOpen(): boolean {
    return this.#applied === 'open'
  }
}

/** Of the first file that names one which is not this machine's own loopback. */
export function nameServersOf(files: string[]): string[] {
  for (const file of files) {
    const servers = read(file).matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)
    const reachable = [...servers].map(([, server]) => server).filter((one) => !/^127\./.test(one))
    if (reachable.length > 0) return reachable
  }
  return []
}

/** The machine's end, and the addresses of the cable, from the gate's name. */
function cableOf(gate: string) {
  const print = Number.parseInt(gate.slice(-6), 16)
  const [third, fourth] = [(print % 160) + 1, ((print >> 8) % 60) * 4]
  const address = (last: number) => `169.254.${third}.${fourth + last}`
  return { end: `ag${gate.slice(-10)}`, machine: address(1), gate: address(2), range: address(0) }
}

function opening(gate: string, nameServers: string[]): string {
  const { end, machine, gate: inner, range } = cableOf(gate)
  const rules = machineRules(end, range).map(({ table, rule, put }) => {
    const iptables = `iptables -w 5 -t ${table}`
    return `${iptables} -C ${rule} 2>/dev/null || ${iptables} ${put} ${rule}`
  })
  return `
    ${rules.join('\n')}
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

/** Also for a gate that is cleared away. */
export function closing(gate: string): string {
  const { end, range } = cableOf(gate)
  const rules = machineRules(end, range)
  return `
    ip link delete ${end} 2>/dev/null || :
    command -v iptables >/dev/null || exit 0
    ${rules.map(({ table, rule }) => `iptables -w 5 -t ${table} -D ${rule} 2>/dev/null || :`).join('\n')}`
}

/** What the cable brings is for others than this machine, and goes out in the machine's name. */
function machineRules(end: string, range: string) {
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED'
  return [
    { table: 'filter', put: '-I', rule: `INPUT -i ${end} -j DROP` },
    { table: 'filter', put: '-I', rule: `FORWARD -i ${end} -j ACCEPT` },
    { table: 'filter', put: '-I', rule: `FORWARD -o ${end} ${answers} -j ACCEPT` },
    // A port of the machine that leads on to a container or a virtual machine is the machine's own too.
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
