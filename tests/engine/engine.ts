import { request } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import Docker from 'dockerode'

/** A word that kills or starts takes a second; the engine itself gives up after half a minute. */
const CONTROL_DEADLINE_MS = 40_000

/** The engine that the run was given, or null where this run has none: its specs are for another run. */
export function testEngine(): Engine | null {
  const host = process.env.MOSAIC_TEST_DOCKER_HOST
  return host ? new Engine(host) : null
}

/** The Docker engine of the tests, seen by someone who may do everything with it. */
export class Engine {
  readonly docker: Docker

  /**
   * @param host as in `DOCKER_HOST`
   * @param place Of an engine other than the run's: its control socket, and the processes in it.
   */
  constructor(
    readonly host: string,
    readonly place = {
      control: process.env.MOSAIC_TEST_DOCKER_CONTROL,
      proc: process.env.MOSAIC_TEST_DOCKER_PROC ?? '/proc',
    }
  ) {
    const path = /^unix:\/\/(.*)$/.exec(host)?.[1]
    const { hostname, port } = new URL(host)
    this.docker = new Docker(path ? { socketPath: path } : { host: hostname, port })
  }

  /** A double of OpenClaw that starts in a moment, in an image like OpenClaw's. */
  get gatewayImage(): string {
    return process.env.MOSAIC_TEST_GATEWAY_IMAGE ?? 'mosaic-test/gateway:1'
  }

  /** The real one. */
  get openclawImage(): string {
    return process.env.MOSAIC_TEST_OPENCLAW_IMAGE!
  }

  /** Whether it can be killed: a given engine may be somebody's. */
  get isPrivate(): boolean {
    return this.place.control !== undefined
  }

  /** The same engine behind TLS, with the folders of certificates that `certificates.mjs` makes. */
  get behindTls(): { host: string; client: string; stranger: string } {
    const folder = process.env.MOSAIC_TEST_DOCKER_TLS!
    return {
      host: 'tcp://127.0.0.1:2376',
      client: `${folder}/client`,
      stranger: `${folder}/stranger`,
    }
  }

  /** Ends the engine at once; containers go on until it starts again. */
  kill(): Promise<void> {
    return this.#tell('kill')
  }

  /** Starts it again, and resolves once it answers. Running already is success. */
  start(): Promise<void> {
    return this.#tell('start')
  }

  /** The processes of a container, by the ids that `readProcess` takes. */
  processesOf(container: string): number[] {
    return readdirSync(this.place.proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => this.#isIn(container, pid))
  }

  /** What the kernel tells of a process: `environ`, `cmdline`, `status`. */
  readProcess(pid: number, file: string): string {
    return readFileSync(`${this.place.proc}/${pid}/${file}`, 'utf8')
  }

  #isIn(container: string, pid: number): boolean {
    try {
      return this.readProcess(pid, 'cgroup').includes(container)
    } catch {
      // It ended while it was looked at.
      return false
    }
  }

  #tell(word: 'kill' | 'start'): Promise<void> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          socketPath: this.place.control,
          method: 'POST',
          path: `/${word}`,
          signal: AbortSignal.timeout(CONTROL_DEADLINE_MS),
        },
        async (response) => {
          const said = Buffer.concat(await Array.fromAsync(response)).toString()
          if (response.statusCode === 204) resolve()
          else reject(new Error(`The engine did not ${word}: ${said}`))
        }
      )
      asked.on('error', reject).end()
    })
  }
}
