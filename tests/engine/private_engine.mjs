/**
 * A Docker engine for the tests, or Podman in its place, from nothing: its programs are installed where that is
 * allowed, and it runs in its own namespaces below a temporary folder. Nothing of it is left at the end. It never
 * sees an engine that the machine has.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { clearAbandoned, Namespaces } from './namespaces.mjs'
import { enginePrograms } from './programs.mjs'

const SUPERVISOR = fileURLToPath(new URL('supervisor.mjs', import.meta.url))

export class PrivateEngine {
  #kind
  #hostName
  #namespaces

  /**
   * @param {'docker' | 'podman'} kind
   * @param {string} [hostName] The name it has in a swarm; the machine's own by default.
   */
  constructor(kind = 'docker', hostName) {
    this.#kind = kind
    this.#hostName = hostName
  }

  /** @throws SetupFailure */
  async start() {
    const init = await enginePrograms(this.#kind)
    await clearAbandoned()
    this.#namespaces = new Namespaces()
    const { folder, cgroup } = this.#namespaces
    const supervisor = [process.execPath, SUPERVISOR, this.#kind, folder, cgroup]
    const env = this.#hostName ? { GUARD_HOST_NAME: this.#hostName } : {}
    await this.#namespaces.start([init, '--', ...supervisor], env).catch(({ message }) => {
      throw new SetupFailure(
        `An engine (${this.#kind}) could not be started for the tests:\n${message}`,
        'Name an engine that may be used with MOSAIC_TEST_DOCKER_HOST, as unix:///var/run/docker.sock.'
      )
    })
  }

  get socket() {
    return join(this.#namespaces.folder, 'docker.sock')
  }

  /** Where it takes `POST /kill` and `POST /start`: a socket. */
  get control() {
    return join(this.#namespaces.folder, 'control.sock')
  }

  /** The processes in it. */
  get proc() {
    return `/proc/${this.#namespaces.initPid}/root/proc`
  }

  /** What a suite needs to use it. */
  get env() {
    return {
      MOSAIC_TEST_DOCKER_HOST: `unix://${this.socket}`,
      MOSAIC_TEST_DOCKER_CONTROL: this.control,
      MOSAIC_TEST_DOCKER_PROC: this.proc,
      MOSAIC_TEST_DOCKER_TLS: join(this.#namespaces.folder, 'tls'),
    }
  }

  /** The socket that joins the two halves of the route out of its network. */
  get wayOut() {
    return join(this.#namespaces.folder, 'way_out.sock')
  }

  /** The words before a command that make it run where containers can be reached by address. */
  get inside() {
    return this.#namespaces.entering('net')
  }

  /** As `inside`, in all namespaces of the engine. */
  get within() {
    return this.#namespaces.entering('net', 'mount', 'pid')
  }

  /** The process that everything in it descends from. */
  get pid() {
    return this.#namespaces.pid
  }

  /** Its first process, which holds its namespaces. */
  get initPid() {
    return this.#namespaces.initPid
  }

  async stop() {
    await this.#namespaces?.stop()
  }
}
