import { isRuntimeError, type RuntimeError } from '#runtimes/errors'
import type { RuntimeFinding } from '#runtimes/contract'
import { ONE_MANAGER } from '#runtimes/drivers/swarm/findings'
import type { SwarmSession } from '#runtimes/drivers/swarm/session'

/** The oldest API version with all features used here: Docker 20.10. */
const OLDEST_API = [1, 41] as const

/** An engine that takes longer to answer is too slow for agents as well. */
const ANSWER_MS = 5000

/** Returns what prevents agents from running in this swarm. Stops at the first fault that hides others. */
export async function examine(session: SwarmSession): Promise<RuntimeFinding[]> {
  try {
    const { engine, cluster, images, pulls, network, ground, image } = session
    const { ApiVersion } = await engine.call((docker) => docker.version(), ANSWER_MS)
    const tooOld = versionFinding(ApiVersion)
    if (tooOld) return [tooOld]
    await cluster.managerAddress()
    const nodes = await cluster.nodes()
    const findings: RuntimeFinding[] = nodes
      .filter(({ isReady, isLost }) => !isReady && isLost)
      .map(({ name }) => lostFinding(name))
    if (nodes.filter(({ isManager }) => isManager).length === 2) findings.push(ONE_MANAGER)
    if (!(await pulls.isPresent(image))) return [...findings, imageFinding(image)]
    // Guards are set up by the first start: who only looks at a runtime changes no node.
    if (!(await network.exists())) return findings
    const pinned = await images.resolve(image, { signal: AbortSignal.timeout(ANSWER_MS) })
    return [...findings, ...(await ground.examine(pinned))]
  } catch (error) {
    return [engineFinding(error)]
  }
}

function versionFinding(version: string): RuntimeFinding | null {
  const [major, minor] = version.split('.').map(Number)
  if (major > OLDEST_API[0] || (major === OLDEST_API[0] && minor >= OLDEST_API[1])) return null
  return {
    severity: 'error',
    code: 'docker_too_old',
    message: `The manager speaks version ${version} of Docker's interface.`,
    hint: 'Mosaic needs 1.41: Docker 20.10 or newer on all nodes.',
  }
}

function imageFinding(image: string): RuntimeFinding {
  return {
    severity: 'warning',
    code: 'image_missing',
    message: `The manager does not have the image ${image}.`,
    hint: 'It and the nodes fetch it before the first agent starts, which can take some minutes.',
  }
}

function lostFinding(node: string): RuntimeFinding {
  return {
    severity: 'warning',
    code: 'node_lost',
    message: `The swarm has lost the node ${node}.`,
    hint: 'Agents whose data is there wait for it. "docker node ls" shows its state; remove it if it is gone for good.',
  }
}

/** What kept the driver from looking. */
export function engineFinding(error: unknown): RuntimeFinding {
  const { message, help, reason } = error as RuntimeError
  const hasAnswered = isRuntimeError(error) && reason !== 'engine_unreachable'
  return {
    severity: 'error',
    code: hasAnswered ? 'engine_failed' : 'swarm_unreachable',
    message,
    hint: help ?? 'The log of Mosaic says more.',
  }
}
