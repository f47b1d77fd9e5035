/** Findings of the swarm's preflight: the fault and its fix. */
import type { RuntimeFinding } from '#runtimes/contract'
import type { ForbiddenPlace } from '#runtimes/drivers/docker/options'

export function unguardedFinding(node: string, why: string): RuntimeFinding {
  if (/no such image|pull access denied|manifest unknown/i.test(why)) {
    return {
      severity: 'warning',
      code: 'image_missing',
      message: `The node ${node} does not have the image of agents, and cannot fetch it: ${why}`,
      hint: 'Run "docker pull" there, or name an image of a registry that all nodes reach. Until then it gets no agent.',
    }
  }
  return {
    severity: 'warning',
    code: 'network_guard_missing',
    message: `The node ${node} has no guard between agents and itself: ${why}`,
    hint: 'It needs iptables in /usr/sbin; the log of the guard service says more. Until then it gets no agent.',
  }
}

export function probeFinding(node: string): RuntimeFinding {
  return {
    severity: 'warning',
    code: 'agents_unreachable',
    message: `Mosaic does not reach containers of the node ${node} at the ports that it publishes.`,
    hint:
      'Open ports 32768 to 60999 (TCP) between Mosaic and the nodes, and name further addresses of Mosaic in the ' +
      'settings of the runtime. Until then the node gets no agent.',
  }
}

export function peersFinding(node: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'agents_reach_agents',
    message: `Agents would reach each other from the node ${node}.`,
    hint:
      'Run "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1" there, and see that no ' +
      'other program removes the rules of the guard.',
  }
}

export function guardFinding(node: string, address: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'network_guard_missing',
    message: `Agents of the node ${node} would reach ${address}.`,
    hint: 'See the log of the guard service, and which other program changes the packet filter of the node.',
  }
}

export function forbiddenFinding(
  node: string,
  { name, host, port }: ForbiddenPlace
): RuntimeFinding {
  return {
    severity: 'error',
    code: 'agents_reach_forbidden',
    message: `Agents of the node ${node} would reach ${name} at ${host}:${port}.`,
    hint: 'Seal the egress of agents in the settings, or close the way on the network.',
  }
}

export function listenerFinding(node: string, address: string, outcome: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'internal_listener_unreachable',
    message: `Agents of the node ${node} do not reach Mosaic’s internal listener at ${address} (${outcome}).`,
    hint: 'Name an address of Mosaic that all nodes reach in the settings of the runtime.',
  }
}

export function namesFinding(node: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'agents_resolve_names',
    message: `Agents of the node ${node} would look up public names, although their egress is sealed.`,
    hint: 'Update its engine, or open the egress of agents in the settings.',
  }
}

export const NO_NODE: RuntimeFinding = {
  severity: 'error',
  code: 'no_node',
  message: 'No node of the swarm may run agents.',
  hint: 'The other findings say what each node lacks; "docker node ls" shows which are ready.',
}

export const ONE_MANAGER: RuntimeFinding = {
  severity: 'warning',
  code: 'swarm_two_managers',
  message: 'The swarm has two managers: it stops taking changes when either is lost.',
  hint: 'Promote a third node, or demote one: "docker node promote", "docker node demote".',
}
