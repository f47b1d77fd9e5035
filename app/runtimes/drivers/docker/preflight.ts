import type { RuntimeFinding } from '#runtimes/contract'
import { isRuntimeError, type RuntimeError } from '#runtimes/errors'
import { processorsIn, type Engine } from '#runtimes/engine/engine'
import { diskFinding, freeBytes, type FreeBytes } from '#runtimes/disk_space'
import type { Images } from '#runtimes/engine/images'
import type { IsolationProbe } from '#runtimes/drivers/docker/isolation_probe'
import type { DockerSettings } from '#runtimes/drivers/docker/options'
import type { Topology } from '#runtimes/drivers/docker/topology'

/** An engine that takes longer to answer is too slow for agents as well. */
const ANSWER_MS = 5000

/** The oldest API version with all features used here: Docker 20.10, Podman 4. */
const OLDEST_API = [1, 41] as const

interface EngineInfo {
  OSType?: string
  MemoryLimit?: boolean
  PidsLimit?: boolean
  CpuCfsQuota?: boolean
  /** Processors. */
  NCPU?: number
  DockerRootDir?: string
}

export interface PreflightParts {
  engine: Engine
  images: Images
  isolation: IsolationProbe
  image: string
  settings: DockerSettings
  topology: Pick<Topology, 'kind'>
  /** Processors that an agent may use, or null if unknown here. */
  processors: number | null
  freeBytes?: FreeBytes
}

/**
 * Returns what prevents agents from running on this engine. Stops at the first fault, because later
 * checks depend on earlier ones.
 */
export async function examine(parts: PreflightParts): Promise<RuntimeFinding[]> {
  try {
    const { engine } = parts
    const version = await engine.call((docker) => docker.version(), ANSWER_MS)
    const info: EngineInfo = await engine.call((docker) => docker.info(), ANSWER_MS)
    const unfit = [
      ...unfitness(version.ApiVersion, info),
      ...processorFindings(info, parts.processors),
      ...(await diskFindings(info, parts)),
    ]
    if (unfit.some(({ severity }) => severity === 'error')) return unfit

    const image = await imageFindings(parts)
    if (image.length > 0) return [...unfit, ...image]
    return [...unfit, ...(await isolationFindings(parts))]
  } catch (error) {
    return [engineFinding(error)]
  }
}

function unfitness(apiVersion: string, info: EngineInfo): RuntimeFinding[] {
  const findings: RuntimeFinding[] = []
  const [major, minor] = apiVersion.split('.').map(Number)
  if (major < OLDEST_API[0] || (major === OLDEST_API[0] && minor < OLDEST_API[1])) {
    findings.push({
      severity: 'error',
      code: 'docker_too_old',
      message: `The engine speaks version ${apiVersion} of Docker's interface.`,
      hint: 'Mosaic needs 1.41: Docker 20.10 or newer, or Podman 4 or newer.',
    })
  }
  if (info.OSType && info.OSType !== 'linux') {
    findings.push({
      severity: 'error',
      code: 'docker_not_linux',
      message: `The engine runs containers of ${info.OSType}.`,
      hint: 'Agents run in Linux containers: switch the engine over, or name another one.',
    })
  }
  const missing = [
    info.MemoryLimit === false ? 'memory' : null,
    info.CpuCfsQuota === false ? 'processor time' : null,
    info.PidsLimit === false ? 'processes' : null,
  ].filter((name) => name !== null)
  if (missing.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'docker_limits_unsupported',
      message: `The engine cannot limit ${missing.join(' or ')}: one agent could starve the others.`,
      hint: 'Enable the controllers of cgroups on its machine, as the documentation of Docker describes.',
    })
  }
  return findings
}

/** Only a warning: agents still start, with the processors there are. */
function processorFindings(info: EngineInfo, wanted: number | null): RuntimeFinding[] {
  const available = processorsIn(info)
  if (wanted === null || wanted <= available) return []
  return [
    {
      severity: 'warning',
      code: 'docker_few_processors',
      message: `An agent may use ${wanted} processors, and the engine has ${available}: it gets ${available}.`,
      hint: `Set the processors of an agent to ${available} in the settings of the runtime, or give the engine more.`,
    },
  ]
}

/**
 * Agents have no quota on the engine's disk, which they often share with the database. Mosaic sees it in a container
 * of the engine as its own root, and on the engine's machine as the engine's folder; elsewhere not at all.
 */
async function diskFindings(
  { DockerRootDir = '/var/lib/docker' }: EngineInfo,
  { engine, topology, freeBytes: free = freeBytes }: PreflightParts
): Promise<RuntimeFinding[]> {
  const isInContainer = topology.kind === 'network per agent'
  if (!isInContainer && !engine.isLocal) return []
  const bytes = await free(isInContainer ? '/' : DockerRootDir).catch(() => null)
  const finding = bytes === null ? null : diskFinding(bytes, `the engine (${DockerRootDir})`)
  return finding ? [finding] : []
}

async function imageFindings({ images, image, settings }: PreflightParts) {
  if (await images.isPresent(image)) return []
  const byHand = settings.pullPolicy === 'never'
  const finding: RuntimeFinding = {
    severity: byHand ? 'error' : 'warning',
    code: 'image_missing',
    message: `The engine does not have the image ${image}.`,
    hint: byHand
      ? `Fetch it with "docker pull ${image}", or let Mosaic fetch images in the settings.`
      : 'It is fetched before the first agent starts, which can take some minutes.',
  }
  return [finding]
}

async function isolationFindings({ images, isolation, image, settings }: PreflightParts) {
  // Checks only the local image; a preflight pulls nothing.
  const policy = settings.pullPolicy === 'always' ? 'missing' : settings.pullPolicy
  const id = await images.resolve(image, policy, { signal: AbortSignal.timeout(ANSWER_MS) })
  return isolation.examine(id)
}

function engineFinding(error: unknown): RuntimeFinding {
  if (!isRuntimeError(error)) throw error
  const cause = error.cause as NodeJS.ErrnoException | undefined
  return {
    severity: 'error',
    code: codeOf(error, cause),
    message: error.message,
    hint: error.help ?? 'The log of the engine says more.',
  }
}

function codeOf({ reason }: RuntimeError, cause: NodeJS.ErrnoException | undefined): string {
  if (cause?.code === 'EACCES' || cause?.code === 'EPERM') return 'docker_no_permission'
  return reason === 'engine_unreachable' ? 'docker_unreachable' : 'engine_failed'
}
