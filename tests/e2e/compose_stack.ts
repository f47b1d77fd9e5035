import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import app from '@adonisjs/core/services/app'
import type { ContainerInspectInfo } from 'dockerode'
import type { Engine } from '#tests/engine/engine'
import { joinWayOut } from '../engine/way_out.mjs'

/** Two installs of all packages from the registry, and a build, on a busy machine. */
const BUILD_DEADLINE_MS = 15 * 60_000
const COMMAND_DEADLINE_MS = 3 * 60_000
const START_DEADLINE_MS = 3 * 60_000
const ASK_EVERY_MS = 100

/** Every port is free in the engine's own network; an unusual one exposes hard-coded defaults. */
const PORT = 8333

export interface Said {
  code: number
  out: string
  err: string
}

/** One container of the stack, from the output of Compose. */
interface Service {
  Service: string
  ID: string
  State: string
  Health: string
}

/** The stack of `docker/compose.yaml`, run with Docker's CLI as an operator would. */
export class ComposeStack {
  readonly secretKey = randomBytes(32).toString('base64')
  readonly url = `http://127.0.0.1:${PORT}`
  /** The setup link that Mosaic printed. */
  setupLink = ''
  #closeWayOut: (() => void) | null = null

  constructor(readonly engine: Engine) {}

  /** From here on, builds can reach the registry. */
  async prepare(): Promise<void> {
    this.#closeWayOut = await joinWayOut(process.env.MOSAIC_TEST_WAY_OUT!)
  }

  /** Variables that an operator exports, and local stand-ins for images of the hub. */
  get env(): Record<string, string> {
    return {
      MOSAIC_SECRET_KEY: this.secretKey,
      MOSAIC_PORT: String(PORT),
      MOSAIC_AGENT_IMAGES: this.engine.openclawImage.replace(/:.*/, ''),
      NODE_IMAGE: process.env.MOSAIC_TEST_NODE_IMAGE!,
      POSTGRES_IMAGE: process.env.MOSAIC_TEST_POSTGRES_IMAGE!,
      DOCKER_SOCKET: this.engine.host.slice('unix://'.length),
    }
  }

  /** Runs `docker compose …`, with additional variables. */
  compose(args: string[], env: Record<string, string> = {}): Promise<Said> {
    const words = ['--progress', 'plain', '-f', app.makePath('docker/compose.yaml'), ...args]
    const { PATH = '', HOME = '' } = process.env
    return new Promise((resolve) => {
      execFile(
        process.env.MOSAIC_TEST_COMPOSE!,
        words,
        {
          env: { PATH, HOME, DOCKER_HOST: this.engine.host, ...this.env, ...env },
          timeout: args.includes('build') ? BUILD_DEADLINE_MS : COMMAND_DEADLINE_MS,
          maxBuffer: 64 * 1024 * 1024,
        },
        (error, out, err) => resolve({ code: error ? Number(error.code ?? 1) : 0, out, err })
      )
    })
  }

  /**
   * Runs commands of the documentation in a folder, as an operator would in the repository. The error of a failed command
   * has the beginning and the output of each.
   */
  async follow(lines: string[], cwd: string): Promise<void> {
    const docker = 'docker() { shift; "$MOSAIC_TEST_COMPOSE" --progress plain "$@"; }'
    const { PATH = '', HOME = '', MOSAIC_TEST_COMPOSE } = process.env
    const program = {
      PATH,
      HOME,
      MOSAIC_TEST_COMPOSE,
      DOCKER_HOST: this.engine.host,
      PS4: '$(date +%T) ',
    }
    const script = ['exec 2>&1', docker, ...lines].join('\n')
    const options = { cwd, env: { ...program, ...this.env }, timeout: COMMAND_DEADLINE_MS }
    await promisify(execFile)('sh', ['-exc', script], options).catch((error) => {
      throw new Error(`${error.killed ? 'Not done in time' : error.code}:\n${error.stdout}`)
    })
  }

  /** As `compose`; returns the output. */
  async done(...args: string[]): Promise<string> {
    const { code, out, err } = await this.compose(args)
    if (code !== 0) throw new Error(`compose ${args.join(' ')} ended with ${code}:\n${out}${err}`)
    return out
  }

  /** Starts the stack; resolves once Mosaic responds. */
  async up(): Promise<void> {
    await this.done('up', '-d')
    await this.answers()
  }

  async answers(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS
    for (;;) {
      const answer = await fetch(`${this.url}/health/live`).catch(() => null)
      if (answer?.ok) break
      if (Date.now() > deadline) throw new Error(`Mosaic did not start:\n${await this.log()}`)
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    this.setupLink = /http:\S+\/onboarding\?token=\S+/.exec(await this.log())?.[0] ?? ''
  }

  /** Returns Mosaic's log. */
  log(): Promise<string> {
    return this.done('logs', '--no-log-prefix', '--no-color', 'mosaic')
  }

  async services(): Promise<Service[]> {
    const listed = await this.done('ps', '--all', '--format', 'json')
    return listed
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Service)
  }

  async container(service: string): Promise<ContainerInspectInfo> {
    const id = (await this.done('ps', '--all', '--quiet', service)).trim()
    return this.engine.docker.getContainer(id).inspect()
  }

  /** Runs a Mosaic command in its container, and returns the object that `--json` prints. */
  async aceJson<Result>(...args: string[]): Promise<Result> {
    const words = ['exec', '-T', 'mosaic', 'sh', 'docker/start.sh', ...args, '--json']
    return JSON.parse(await this.done(...words)) as Result
  }

  /** Runs a JavaScript program in a container and returns its output. */
  async within(container: string, program: string): Promise<string> {
    const exec = await this.engine.docker.getContainer(container).exec({
      Cmd: ['node', '--input-type=module', '-e', program],
      AttachStdout: true,
      Tty: true,
    })
    const stream = await exec.start({ Tty: true })
    const said: Buffer[] = await Array.fromAsync(stream)
    return Buffer.concat(said).toString().trim()
  }

  async end(): Promise<void> {
    await this.compose(['down', '--volumes', '--timeout', '5'])
    this.#closeWayOut?.()
  }
}
