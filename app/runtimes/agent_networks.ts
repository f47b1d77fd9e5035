import { BlockList, isIPv4 } from 'node:net'

const known = new Set<string>()
const networks = new BlockList()

/** Notes a network (CIDR) that Mosaic shares with an agent alone. What comes from there is not from people. */
export function noteAgentNetwork(subnet: string): void {
  if (known.has(subnet)) return
  const [base, bits] = subnet.split('/')
  if (!isIPv4(base)) return
  known.add(subnet)
  networks.addSubnet(base, Number(bits))
}

/** @param local Mosaic's own address of a connection */
export function isInAgentNetwork(local: string | undefined): boolean {
  return known.size > 0 && local !== undefined && networks.check(local.replace(/^::ffff:/, ''))
}
