/**
 * Rules for the services of a swarm that run as root: the guard of a node's packet filter, and the steward of agents'
 * data. Each runs the script that came with the proxy and nothing else. Its environment, health check and files could
 * make it run something else (`NODE_OPTIONS`, `LD_PRELOAD`, a secret mounted over the script), so their shapes admit
 * only what the script reads, and the values are checked here.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FoundNetwork } from '#socket_proxy/belongings'
import { NAME, type ContainerRuleParts } from '#socket_proxy/container_rules'
import { Refusal } from '#socket_proxy/refusal'
import type { Purpose } from '#socket_proxy/service_shapes'

/** How the roots begin, each with its script. */
const ROOTS: Partial<Record<Purpose, { script: string; command: string[] }>> = {
  guard: { script: 'guard.sh', command: ['/bin/sh', '/run/mosaic/guard.sh'] },
  steward: { script: 'steward.mjs', command: ['node', '/run/mosaic/steward.mjs'] },
}

/** Where the steward sees a volume, and the folder that all nodes have. */
const VOLUME_DATA = '/data'
const SHARED_DATA = '/shared'

/** The tables that a guard restores, and what ends a rule: a verdict, never a jump to others' chains. */
const TABLES = ['*filter', '*mangle', 'COMMIT']
const RULE = /^[\w.,/: -]{0,256} -j (?:ACCEPT|DROP|RETURN)$/

/** A container that runs as root, after its shape was checked. */
export interface RootContainer {
  Command: string[]
  Env?: string[]
  Configs?: { ConfigID: string; File?: { Name: string } }[]
}

/** Returns what the drivers append to names to keep installations apart: see `shortHash` there. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

export class RootRules {
  readonly #parts: ContainerRuleParts

  constructor(parts: ContainerRuleParts) {
    this.#parts = parts
  }

  /**
   * Does nothing for a purpose that does not run as root.
   *
   * @param scriptOf returns a config's data, in Base64
   * @throws Refusal
   */
  async check(
    purpose: Purpose,
    container: RootContainer,
    scriptOf: (configId: string) => Promise<string | undefined>
  ): Promise<void> {
    const root = ROOTS[purpose]
    if (!root) return
    const { Command, Configs = [] } = container
    const isCommand = root.command.every((word, index) => Command[index] === word)
    const [config, ...more] = Configs
    if (!isCommand || more.length > 0 || config?.File?.Name !== `/run/mosaic/${root.script}`) {
      throw new Refusal(`A service as root may only run ${root.script}`)
    }
    const own = readFileSync(join(this.#parts.config.swarm!.scripts, root.script))
    const given = await scriptOf(config.ConfigID)
    if (!Buffer.from(given ?? '', 'base64').equals(own)) {
      throw new Refusal(`${root.script} is not the one of this version`)
    }
    const words = Command.slice(root.command.length)
    const environment = environmentOf(container)
    if (purpose === 'guard') await this.#checkGuard(words, environment)
    else this.#checkSteward(words, environment)
  }

  /** A steward cares for data of this installation alone, which its script finds by the owner's name. */
  #checkSteward([, owner, ...more]: string[], { MOSAIC_DATA: data }: Environment): void {
    const { id } = this.#parts.installation
    const [installation, name = '', ...rest] = owner?.split(' ') ?? []
    const isOwner = installation === id && NAME.test(name) && rest.length === 0
    const shared = `${SHARED_DATA}/mosaic-${shortHash(id ?? '')}/${name}`
    if (isOwner && more.length === 0 && (data === VOLUME_DATA || data === shared)) return
    throw new Refusal('A steward may only be sent to data of this installation')
  }

  /** A guard writes rules in chains of its bridge, and has only that bridge's packets jump to them. */
  async #checkGuard(words: string[], environment: Environment): Promise<void> {
    const { MOSAIC_BRIDGE: bridge = '', MOSAIC_RULES = '', MOSAIC_JUMPS = '' } = environment
    const chain = `MOSAIC-${shortHash(bridge)}`
    const chains = [chain, `${chain}-F`, `${chain}-T`]
    const isRule = (line: string) =>
      TABLES.includes(line) ||
      chains.some((one) => {
        if (line === `:${one} - [0:0]`) return true
        return line.startsWith(`-A ${one} `) && RULE.test(line.slice(`-A ${one}`.length))
      })
    const jumps = new Set([
      ...chains.map((one) => `filter INPUT -i ${bridge} -j ${one}`),
      ...chains.flatMap((one) =>
        ['-i', '-o'].map((way) => `mangle FORWARD ${way} ${bridge} -j ${one}`)
      ),
    ])
    if (
      words.length === 0 &&
      MOSAIC_RULES.split('\n').every(isRule) &&
      MOSAIC_JUMPS.split('\n').every((line) => jumps.has(line)) &&
      (await this.#isBridge(bridge))
    ) {
      return
    }
    throw new Refusal("A guard may only filter packets of this installation's agents")
  }

  /** Whether a network of ours has this bridge on each node. */
  async #isBridge(bridge: string): Promise<boolean> {
    const { engine, belongings } = this.#parts
    const found = (await engine.look<FoundNetwork[]>('/networks')) ?? []
    return found.some((one) => belongings.owns(one) && bridge === `br-${one.Id.slice(0, 12)}`)
  }
}

type Environment = Partial<Record<string, string>>

function environmentOf({ Env = [] }: RootContainer): Environment {
  const variables = Env.map((one) => {
    const at = one.indexOf('=')
    return [one.slice(0, at), one.slice(at + 1)] as const
  })
  const names = new Set(variables.map(([name]) => name))
  if (names.size < variables.length) throw new Refusal('A variable is given twice', 400)
  return Object.fromEntries(variables)
}
