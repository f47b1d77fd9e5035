/**
 * The engine that tests use, with their images in it: the one that `MOSAIC_TEST_DOCKER_HOST` or
 * `DOCKER_HOST` names, else a private one. Podman is given by `MOSAIC_TEST_PODMAN_HOST`.
 */
import Docker from 'dockerode'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import {
  GATEWAY_IMAGE,
  importGatewayImage,
  importOpenclawImage,
  OPENCLAW_IMAGE,
} from './images.mjs'
import { importNodeImage, importPostgresImage, NODE_IMAGE, POSTGRES_IMAGE } from './hub_images.mjs'
import { PrivateEngine } from './private_engine.mjs'
import { busybox } from './programs.mjs'
import { openWayOut } from './way_out.mjs'

const PING_DEADLINE_MS = 5000

export class TestEngine {
  #kind
  #private = null
  #env
  #docker
  #wayOut = null

  /** @param {'docker' | 'podman'} kind */
  constructor(kind = 'docker') {
    this.#kind = kind
  }

  /**
   * @returns {Promise<'running' | 'given'>}
   * @throws SetupFailure
   */
  async start() {
    const host = givenHost(this.#kind)
    if (host) {
      this.#env = { MOSAIC_TEST_DOCKER_HOST: host }
    } else {
      this.#private = new PrivateEngine(this.#kind)
      await this.#private.start()
      this.#env = this.#private.env
    }
    this.#docker = connect(this.#env.MOSAIC_TEST_DOCKER_HOST)
    await this.#docker
      .ping({ abortSignal: AbortSignal.timeout(PING_DEADLINE_MS) })
      .catch((error) => {
        throw new SetupFailure(`The Docker engine ${host} cannot be reached: ${error.message}`)
      })
    return host ? 'given' : 'running'
  }

  /** Imports it anew, as the double changes with the tests. */
  async addGatewayImage() {
    await importGatewayImage(this.#docker, { busybox: await busybox() })
  }

  /**
   * Imports it where the engine, a given one, has it not.
   *
   * @param {string} storage Where OpenClaw is installed: `<storage>/openclaw/<version>`.
   */
  async addOpenclawImage(storage) {
    const image = this.#docker.getImage(OPENCLAW_IMAGE)
    if (await image.inspect().catch(() => null)) return
    await importOpenclawImage(this.#docker, { busybox: await busybox() }, storage)
  }

  /**
   * Imports what the stack of compose.yaml is made from, and opens a way to the registry of packages.
   *
   * @throws SetupFailure on a given engine, which has containers, ports and networks of its own
   */
  async addHubImages() {
    if (!this.#private) {
      throw new SetupFailure('The stack is tried out on an engine of the tests alone.')
    }
    this.#wayOut = await openWayOut(this.#private.wayOut)
    const programs = { busybox: await busybox() }
    await importNodeImage(this.#docker, programs)
    await importPostgresImage(this.#docker, programs)
  }

  /** What a suite needs to use it. */
  get env() {
    return {
      ...this.#env,
      MOSAIC_TEST_GATEWAY_IMAGE: GATEWAY_IMAGE,
      MOSAIC_TEST_OPENCLAW_IMAGE: OPENCLAW_IMAGE,
      ...(this.#wayOut && {
        MOSAIC_TEST_WAY_OUT: this.#private.wayOut,
        MOSAIC_TEST_NODE_IMAGE: NODE_IMAGE,
        MOSAIC_TEST_POSTGRES_IMAGE: POSTGRES_IMAGE,
      }),
    }
  }

  /** The words before a command that make it run where containers can be reached by address. */
  get inside() {
    return this.#private?.inside ?? []
  }

  /** As `inside`, and where the processes of containers have the ids that the engine tells. */
  get within() {
    return this.#private?.within ?? []
  }

  /** The process that everything in a private engine descends from; none for a given engine. */
  get pids() {
    return this.#private ? [this.#private.pid] : []
  }

  async stop() {
    this.#wayOut?.()
    await this.#private?.stop()
  }
}

function givenHost(kind) {
  const { MOSAIC_TEST_PODMAN_HOST, MOSAIC_TEST_DOCKER_HOST, DOCKER_HOST } = process.env
  return kind === 'podman' ? MOSAIC_TEST_PODMAN_HOST : MOSAIC_TEST_DOCKER_HOST || DOCKER_HOST
}

/** @param {string} host As in `DOCKER_HOST`; certificates for TCP come from Docker's own variables. */
function connect(host) {
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length) })
  process.env.DOCKER_HOST = host
  return new Docker()
}
