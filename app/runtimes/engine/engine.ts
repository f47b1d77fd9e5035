import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from 'node:http'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import { isRuntimeError, RuntimeError } from '#runtimes/errors'
import { callSignal, withBoundedAnswers } from '#runtimes/engine/engine_answers'

/** Deadline of a call. The slowest call, a start on a busy machine, takes seconds. */
const CALL_MS = 60_000

/** An error of dockerode: the engine's refusal, or a failure to reach it. */
interface EngineFailure extends Error {
  statusCode?: number
  code?: string
}

const CERTIFICATES_HELP =
  'DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem: the authority that the engine ' +
  'trusts must have signed them.'

/** Docker's message for a processor limit above the number it has. */
const TOO_MANY_PROCESSORS = /range of cpus is from/i

const UNREACHABLE = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EAI_AGAIN',
])

/** What a proxy answers whose engine is away. */
const PROXY_STATUSES = new Set([502, 503, 504])

/**
 * Does not keep connections alive: they would not survive a restart of the engine, and new ones are
 * cheap.
 *
 * For each call dockerode formats its options for a debug log that is off, including the agent with all
 * its connections. Under load that dominates Mosaic's processor time, so this agent formats as one
 * word.
 */
class BriefAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent'
  }
}

/** One engine, local or remote. Every call has a deadline and fails with a runtime error. */
export class Engine {
  readonly docker: Docker
  #processors: number | null = null

  private constructor(
    readonly host: string,
    /** Whether it is reached through a socket of this machine, so that it can mount this machine's files. */
    readonly isLocal: boolean,
    options: Docker.DockerOptions
  ) {
    this.docker = withBoundedAnswers(new Docker(options))
  }

  /** @param certificates folder with `ca.pem`, `cert.pem` and `key.pem`, for `tcp:` with TLS */
  static at(host: string, certificates: string | null = null): Engine {
    if (host.startsWith('unix://')) {
      const options = { socketPath: host.slice('unix://'.length), agent: new BriefAgent() }
      return new Engine(host, true, options)
    }
    const url = URL.parse(host)
    if (!url || url.protocol !== 'tcp:') {
      throw new RuntimeError('engine_unreachable', `"${host}" is no address of a Docker engine.`, {
        help: 'Give it as unix:///var/run/docker.sock or tcp://host:2376.',
      })
    }
    const tls = certificates && { protocol: 'https' as const, ...readCertificates(certificates) }
    const port = url.port || (tls ? 2376 : 2375)
    return new Engine(host, false, { protocol: 'http', ...tls, host: url.hostname, port })
  }

  /**
   * Makes one call. Only the deadline aborts it: a caller that leaves in the middle of a change could
   * not know whether it was made.
   *
   * @throws RuntimeError
   */
  async call<Value>(
    work: (docker: Docker, options: { abortSignal: AbortSignal }) => Promise<Value>,
    deadlineMs = CALL_MS
  ): Promise<Value> {
    const deadline = new AbortController()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      deadline.abort()
      late.reject(new Error('The deadline has passed'))
    }, deadlineMs)
    try {
      const { signal } = deadline
      const done = callSignal.run(signal, () => work(this.docker, { abortSignal: signal }))
      // Work that ignores the signal must not keep its caller.
      return await Promise.race([done, late.promise])
    } catch (error) {
      throw this.explained(error as EngineFailure, deadline.signal.aborted)
    } finally {
      clearTimeout(timer)
    }
  }

  /** As `call`, but returns null if the engine reports that the object does not exist. */
  async find<Value>(
    work: (docker: Docker, options: { abortSignal: AbortSignal }) => Promise<Value>
  ): Promise<Value | null> {
    return this.call(work).catch((error: unknown) => {
      if (statusOf(error) === 404) return null
      throw error
    })
  }

  /** As `call`, but succeeds if the object is gone or already in the wanted state. */
  async settle(
    work: (docker: Docker, options: { abortSignal: AbortSignal }) => Promise<unknown>,
    deadlineMs?: number
  ): Promise<void> {
    await this.call(work, deadlineMs).catch((error: unknown) => {
      if (![304, 404].includes(statusOf(error) ?? 0)) throw error
    })
  }

  /**
   * Returns the wanted number of processors, at most the engine's: it refuses containers with a higher
   * limit. The engine's number is read once, as it changes only with a restart of the engine.
   */
  async processors(wanted: number): Promise<number> {
    this.#processors ??= processorsIn(await this.call((docker) => docker.info()))
    return Math.min(wanted, this.#processors)
  }

  /**
   * Returns what identifies the engine and its folder of data, both of which decide whether volumes are there.
   * Null for Podman, whose id differs from call to call. Never cached: a proxy may lead to another engine.
   */
  async identity(): Promise<string | null> {
    const info = await this.call((docker) => docker.info())
    return info.ID && !('BuildahVersion' in info) ? `${info.ID} ${info.DockerRootDir}` : null
  }

  explained(cause: EngineFailure, timedOut = false): RuntimeError {
    if (isRuntimeError(cause)) return cause
    if (TOO_MANY_PROCESSORS.test(cause.message)) {
      this.#processors = null
      return new RuntimeError(
        'no_capacity',
        `The Docker engine has too few processors: ${said(cause)}`,
        {
          cause,
          help: 'Lower the processors of an agent in the settings of the runtime, or give the engine more.',
        }
      )
    }
    if (timedOut) {
      return new RuntimeError('engine_unreachable', 'The Docker engine did not answer in time.', {
        cause,
        help: 'See how busy its machine is, and what its log says.',
      })
    }
    if (cause.code === 'EACCES' || cause.code === 'EPERM') {
      return new RuntimeError('engine_unreachable', `Mosaic may not use ${this.host}.`, {
        cause,
        help: 'Let the user that Mosaic runs as use the socket (group "docker"), or run Mosaic as root.',
      })
    }
    if (UNREACHABLE.has(cause.code ?? '') || /socket hang up/.test(cause.message)) {
      return new RuntimeError('engine_unreachable', `No Docker engine answers at ${this.host}.`, {
        cause,
        help: 'Start it, or name another one in the settings of the runtime.',
      })
    }
    if (cause.statusCode && PROXY_STATUSES.has(cause.statusCode)) {
      return new RuntimeError(
        'engine_unreachable',
        `No Docker engine answers at ${this.host}: ${said(cause)}`,
        { cause, help: 'Start it. If it runs, see what the log of the proxy in front of it says.' }
      )
    }
    if (speaksTls(cause)) {
      return new RuntimeError('engine_unreachable', `${this.host} is behind TLS: ${said(cause)}`, {
        cause,
        help: CERTIFICATES_HELP,
      })
    }
    if (/no space left on device|address pool|device or resource busy/i.test(cause.message)) {
      return new RuntimeError('no_capacity', said(cause), {
        cause,
        help: 'The engine has no room left: free disk space, or remove networks that nobody uses.',
      })
    }
    return new RuntimeError('internal', `The Docker engine refused: ${said(cause)}`, { cause })
  }
}

/** Returns an engine's processors; Infinity if it does not report them. */
export function processorsIn({ NCPU }: { NCPU?: number }): number {
  return NCPU && NCPU > 0 ? NCPU : Infinity
}

const CERTIFICATES = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' }

interface CertificatesConfig {
  certificates?: string | null
  environment?: NodeJS.ProcessEnv
}

/** Returns the folder with the certificates that a driver is configured with. */
export function certificatesOf({ certificates, environment = process.env }: CertificatesConfig) {
  return certificates ?? environment.DOCKER_CERT_PATH ?? null
}

/** Returns a text that changes when these certificates are renewed: an engine reads them once. */
export function certificatesStamp(config: CertificatesConfig): string {
  const folder = certificatesOf(config)
  if (folder === null) return ''
  const files = Object.values(CERTIFICATES).map((file) => join(folder, file))
  return files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs).join()
}

/** @throws RuntimeError */
function readCertificates(folder: string) {
  try {
    const read = (file: string) => readFileSync(join(folder, file))
    const { ca, cert, key } = CERTIFICATES
    return { ca: read(ca), cert: read(cert), key: read(key) }
  } catch (cause) {
    const message = `The certificates for the Docker engine cannot be read in ${folder}.`
    throw new RuntimeError('engine_unreachable', message, { cause, help: CERTIFICATES_HELP })
  }
}

/** Whether one side does not trust the other, or does not speak TLS at all. */
function speaksTls({ code = '', message }: EngineFailure): boolean {
  return /^ERR_(SSL|TLS)_|CERT|SIGNATURE/.test(code) || /HTTP request to an HTTPS/.test(message)
}

/** The status of the engine's answer, or null if it did not answer. */
export function statusOf(error: unknown): number | null {
  const { statusCode, cause } = error as EngineFailure
  return statusCode ?? (cause instanceof Error ? statusOf(cause) : null)
}

/** Whether an object of that name exists. Podman reports it with another status. */
export function isNameConflict(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 409) return true
  return status === 500 && /already in use|already exists/i.test(String((error as Error).message))
}

function said({ message }: Error): string {
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}
