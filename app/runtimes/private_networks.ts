import { BlockList } from 'node:net'

/** Networks that are not the public internet: the operator's, the machine's, the cloud's metadata. */
export const PRIVATE_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/4',
]

/** Whether an IPv4 address is not of the public internet. */
export function isPrivate(address: string): boolean {
  return PRIVATE.check(address)
}

const PRIVATE = new BlockList()
for (const range of PRIVATE_NETWORKS) {
  const [base, bits] = range.split('/')
  PRIVATE.addSubnet(base, Number(bits))
}

/**
 * Returns the rules of iptables that drop a chain's packets to these networks. Queries that an engine forwards for
 * agents pass: the machine's name servers may have private addresses.
 */
export function publicOnly(chain: string): string[] {
  return [
    `-A ${chain} -p udp -m udp --dport 53 -j RETURN`,
    `-A ${chain} -p tcp -m tcp --dport 53 -j RETURN`,
    ...PRIVATE_NETWORKS.map((range) => `-A ${chain} -d ${range} -j DROP`),
  ]
}

/**
 * The same as commands for an operator. Each inserts its rule before those of the former ones.
 *
 * @param from matches packets of agents: `-i <interface>`
 */
export function publicOnlyCommands(from: string): string[] {
  const insert = `iptables -t mangle -I FORWARD ${from}`
  const begun = '-m conntrack ! --ctstate ESTABLISHED,RELATED'
  return [
    `${insert} ${begun} -d ${PRIVATE_NETWORKS.join(',')} -j DROP`,
    `${insert} -p udp --dport 53 -j ACCEPT`,
    `${insert} -p tcp --dport 53 -j ACCEPT`,
  ]
}
