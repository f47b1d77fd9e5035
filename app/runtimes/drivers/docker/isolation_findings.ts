import type { RuntimeFinding } from '#runtimes/contract'

/** Findings of the isolation probe: the fault and its fix. */

export const UNREACHABLE: RuntimeFinding = {
  severity: 'error',
  code: 'agents_unreachable',
  message: 'Mosaic does not reach containers of this engine by their address.',
  hint:
    'Run Mosaic on the machine of the engine, or in a container of it, and see that no firewall ' +
    'closes the way.',
}

export function endedFinding(exitCode: number | null): RuntimeFinding {
  return {
    severity: 'error',
    code: 'image_unfit',
    message: `A container of the agents' image ended at once, with status ${exitCode ?? 'unknown'}.`,
    hint: 'The image must have the programs "node" and "sh", for the processor of this machine.',
  }
}

export const PEERS: RuntimeFinding = {
  severity: 'error',
  code: 'agents_reach_agents',
  message: 'Agents would reach each other: this machine does not filter packets on bridges.',
  hint:
    'Run "modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1" on the machine of ' +
    'the engine, and let the engine manage iptables.',
}

export const NAMES: RuntimeFinding = {
  severity: 'error',
  code: 'agents_resolve_names',
  message: 'Agents with sealed egress would look up public names, and could send data out in them.',
  hint:
    'Update the engine: Docker 23.0.11, 25.0.5 and newer keep names of sealed agents in. Or open the egress of agents ' +
    'in the settings.',
}

/** @param help how to close the way, if it is for the guard to close */
export function forbiddenFinding(
  name: string,
  address: string,
  help: string | null
): RuntimeFinding {
  return {
    severity: 'error',
    code: 'agents_reach_forbidden',
    message: `Agents would reach ${name} at ${address}.`,
    hint: help ?? 'Seal the egress of agents in the settings, or close the way on the network.',
  }
}

export function listenerFinding(address: string, outcome: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'internal_listener_unreachable',
    message: `Agents do not reach Mosaic's internal listener at ${address} (${outcome}).`,
    hint: 'See whether a firewall of this machine drops what comes from the bridge of the agents.',
  }
}

/** `help` explains how to set up the guard on this machine. */
export function guardFinding(address: string, help: string): RuntimeFinding {
  return {
    severity: 'error',
    code: 'network_guard_missing',
    message: `Agents would reach services of this machine, at ${address}.`,
    hint: help,
  }
}
