import { publicOnly } from '#runtimes/private_networks'
import { shortHash } from '#runtimes/engine/short_hash'

export interface GuardInput {
  /** The agents' bridge, of the same name on each node. */
  bridge: string
  /** Where agents reach Mosaic's internal listener. */
  mosaic: { address: string; port: number }
  egress: 'open' | 'sealed'
  /** Addresses and ranges that may connect to agents' ports. */
  sources: string[]
}

/**
 * The packet filter of one node. From their bridge agents reach Mosaic's internal listener and, with open egress, the
 * public internet: no port of any node, so none that leads to another agent, and no private network. Towards agents
 * only Mosaic and nodes open connections. Forwarded packets are dropped in table `mangle`, which precedes the
 * rules of the engine.
 */
export function guardRules({ bridge, mosaic, egress, sources }: GuardInput) {
  const chain = `MOSAIC-${shortHash(bridge)}`
  const [host, beyond, towards] = [chain, `${chain}-F`, `${chain}-T`]
  const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN'
  const toMosaic = `-d ${mosaic.address}/32 -p tcp -m tcp --dport ${mosaic.port}`
  const rules = [
    '*filter',
    `:${host} - [0:0]`,
    `-A ${host} ${answers}`,
    `-A ${host} ${toMosaic} -j ACCEPT`,
    `-A ${host} -j DROP`,
    'COMMIT',
    '*mangle',
    `:${beyond} - [0:0]`,
    `-A ${beyond} ${answers}`,
    `-A ${beyond} -o ${bridge} -j DROP`,
    `-A ${beyond} ${toMosaic} -j RETURN`,
    ...(egress === 'open' ? publicOnly(beyond) : [`-A ${beyond} -j DROP`]),
    `:${towards} - [0:0]`,
    `-A ${towards} ${answers}`,
    ...sources.toSorted().map((source) => `-A ${towards} -s ${source} -j RETURN`),
    `-A ${towards} -j DROP`,
    'COMMIT',
  ]
  const jumps = [
    `filter INPUT -i ${bridge} -j ${host}`,
    `mangle FORWARD -o ${bridge} -j ${towards}`,
    `mangle FORWARD -i ${bridge} -j ${beyond}`,
  ]
  return { rules: rules.join('\n'), jumps: jumps.join('\n') }
}
