import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from 'node:http'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import { isRuntimeError, RuntimeError } from '#runtimes/errors'
import { withBoundedAnswers } from '#runtimes/drivers/docker/engine_answers'

/** A call that takes longer is as good as lost: the longest, a start on a busy machine, takes seconds. */
const CALL_MS = 60_000

/** What dockerode throws: an answer of the engine, or a failure to reach it. */
interface EngineFailure extends Error {
  statusCode?: number
  code?: string
}

const CERTIFICATES_HELP =
  'DOCKER_CERT_PATH names the folder with ca.pem, cert.pem and key.pem: the authority that the engine ' +
  'trusts must have signed them.'

/** How Docker refuses a limit on processors that is above what it has. */
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

/**
 * A connection that is kept open does not survive a restart of the engine, and a new one is cheap.
 *
 * dockerode writes the options of each call out in full for a log that nobody keeps, its agent with every
 * connection in it: in a storm that is most of what Mosaic does. So this one is a word.
 */
class BriefAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent'
  }
}

/** One engine, local or remote. Every call has a deadline and fails as a runtime does. */
export class Engine {
  readonly docker: Docker
  #processors: number | null = null

  private constructor(
    readonly host: string,
    /** Whether it is reached by a socket of this machine, so that it can be given this machine's files. */
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
   * Makes one call. Its signal is the deadline's alone: a caller who leaves in the middle of a change could
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
      // Not every call of dockerode heeds its signal, so the wait is ended here as well.
      return await Promise.race([work(this.docker, { abortSignal: deadline.signal }), late.promise])
    } catch (error) {
      throw this.explained(error as EngineFailure, deadline.signal.aborted)
    } finally {
      clearTimeout(timer)
    }
  }

  /** As `call`, and null where the engine says that there is no such thing. */
  async find<Value>(
    work: (docker: Docker, options: { abortSignal: AbortSignal }) => Promise<Value>
  ): Promise<Value | null> {
    return this.call(work).catch((error: unknown) => {
      if (statusOf(error) === 404) return null
      throw error
    })
  }

  /** As `call`; what is gone or as it should be already is success. */
  async settle(
    work: (docker: Docker, options: { abortSignal: AbortSignal }) => Promise<unknown>,
    deadlineMs?: number
  ): Promise<void> {
    await this.call(work, deadlineMs).catch((error: unknown) => {
      if (![304, 404].includes(statusOf(error) ?? 0)) throw error
    })
  }

  /**
   * As many processors as are asked for, but no more than the engine has: it refuses a container that may
   * use more. The number is asked for once, as it changes with a restart of the engine alone.
   */
  async processors(wanted: number): Promise<number> {
    this.#processors ??= processorsIn(await this.call((docker) => docker.info()))
    return Math.min(wanted, this.#processors)
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

/** Processors of an engine; without a bound where it does not say how many. */
export function processorsIn({ NCPU }: { NCPU?: number }): number {
  return NCPU && NCPU > 0 ? NCPU : Infinity
}

/** @throws RuntimeError */
function readCertificates(folder: string) {
  try {
    const read = (file: string) => readFileSync(join(folder, file))
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
  } catch (cause) {
    const message = `The certificates for the Docker engine cannot be read in ${folder}.`
    throw new RuntimeError('engine_unreachable', message, { cause, help: CERTIFICATES_HELP })
  }
}

/** Whether one of both does not trust the other, or does not speak TLS at all. */
function speaksTls({ code = '', message }: EngineFailure): boolean {
  return /^ERR_(SSL|TLS)_|CERT|SIGNATURE/.test(code) || /HTTP request to an HTTPS/.test(message)
}

/** The status that the engine answered with, or null where it did not answer. */
export function statusOf(error: unknown): number | null {
  const { statusCode, cause } = error as EngineFailure
  return statusCode ?? (cause instanceof Error ? statusOf(cause) : null)
}

/** Whether something of that name is there already. Podman says so with another status. */
export function isNameConflict(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 409) return true
  return status === 500 && /already in use|already exists/i.test(String((error as Error).message))
}

function said({ message }: Error): string {
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}
