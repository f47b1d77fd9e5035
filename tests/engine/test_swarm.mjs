/**
 * A swarm of two nodes on one machine: two private engines, each in its own network namespace, joined by a
 * bridge in a third. Cutting a node off is setting its port of the bridge down.
 *
 * Suites run in the network of the manager, where both nodes reach them at its address.
 */
import { setTimeout as after } from 'node:timers/promises'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Docker from 'dockerode'
import { command } from '../../bin/setup/command.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { importPostgresImage, POSTGRES_IMAGE } from './hub_images.mjs'
import { GATEWAY_IMAGE, importGatewayImage } from './images.mjs'
import { importMosaicImage, MOSAIC_IMAGE } from './mosaic_image.mjs'
import { Namespaces } from './namespaces.mjs'
import { PrivateEngine } from './private_engine.mjs'
import { busybox } from './programs.mjs'

/** The network of the nodes, in a range that neither tests nor Docker's own pools use. */
const ADDRESSES = { manager: '172.31.251.11', worker: '172.31.251.12' }
const NETWORK_BITS = 24

/** Networks of the swarm itself, away from every other range here. */
const SWARM_POOL = '10.180.0.0/16'

const MANAGEMENT_PORT = 2377
const READY_DEADLINE_MS = 30_000
const ASK_EVERY_MS = 100

/** A bridge, and a process that holds its namespace until standard input is closed. */
const SWITCH =
  'ip link add name switch type bridge && ip link set switch up && echo ready && exec cat'

export class TestSwarm {
  #switch = null
  #nodes = []
  #hasStack = false

  /**
   * @returns {Promise<'running'>}
   * @throws SetupFailure
   */
  async start() {
    const names = Object.keys(ADDRESSES)
    this.#nodes = names.map((name) => ({
      name,
      address: ADDRESSES[name],
      engine: new PrivateEngine('docker', name),
    }))
    // One after another: the first may have to install the programs.
    for (const { engine } of this.#nodes) await engine.start()
    this.#switch = new Namespaces()
    await this.#switch.start(['sh', '-c', SWITCH])
    for (const node of this.#nodes) await this.#plugIn(node)
    await this.#form().catch((error) => {
      throw new SetupFailure(`The swarm of the tests could not be formed: ${error.message}`)
    })
    mkdirSync(this.#shared)
    // As a share for all users: each agent's folder in it gets an owner of its own.
    chmodSync(this.#shared, 0o1777)
    return 'running'
  }

  /** Joins a node's network to the bridge: `eth0` there, a port with the node's name here. */
  async #plugIn({ name, address, engine }) {
    const peer = ['peer', 'name', 'eth0', 'netns', engine.initPid]
    const here = (...words) => link(this.#switch.entering('net'), words)
    const there = (...words) => link(engine.inside, words)
    await here('link', 'add', name, 'type', 'veth', ...peer)
    await here('link', 'set', name, 'master', 'switch')
    await here('link', 'set', name, 'up')
    await there('address', 'add', `${address}/${NETWORK_BITS}`, 'dev', 'eth0')
    await there('link', 'set', 'eth0', 'up')
  }

  async #form() {
    const [manager, worker] = this.#nodes
    const engine = connect(manager)
    const at = ({ address }) => ({
      AdvertiseAddr: address,
      ListenAddr: `${address}:${MANAGEMENT_PORT}`,
    })
    await engine.swarmInit({ ...at(manager), DefaultAddrPool: [SWARM_POOL], SubnetSize: 24 })
    const { JoinTokens } = await engine.swarmInspect()
    const remote = [`${manager.address}:${MANAGEMENT_PORT}`]
    await connect(worker).swarmJoin({
      ...at(worker),
      RemoteAddrs: remote,
      JoinToken: JoinTokens.Worker,
    })
    const deadline = Date.now() + READY_DEADLINE_MS
    for (;;) {
      const nodes = await engine.listNodes()
      const ready = nodes.filter(({ Status }) => Status.State === 'ready')
      if (ready.length === this.#nodes.length) return
      if (Date.now() > deadline) throw new Error('not all nodes were ready in time')
      await after(ASK_EVERY_MS)
    }
  }

  addGatewayImage() {
    return this.#addImage(GATEWAY_IMAGE, importGatewayImage)
  }

  /** Adds what the stack of `docker/stack.yaml` is made from. */
  async addStackImages() {
    await this.#addImage(POSTGRES_IMAGE, importPostgresImage)
    await this.#addImage(MOSAIC_IMAGE, importMosaicImage)
    this.#hasStack = true
  }

  /** Imports it at the manager and copies it from there: an image has one id at all nodes. */
  async #addImage(image, importImage) {
    const [first, ...others] = this.#nodes.map(connect)
    await importImage(first, { busybox: await busybox() })
    for (const other of others) {
      const progress = await other.loadImage(await first.getImage(image).get())
      await new Promise((resolve, reject) => {
        other.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()))
      })
    }
  }

  /** Where both nodes see the same files, as on a network file system. */
  get #shared() {
    return join(this.#switch.folder, 'shared')
  }

  /** What a suite needs to use it: `swarm.ts` reads it. */
  get env() {
    const nodes = this.#nodes.map(({ name, address, engine }) => {
      const { socket, control, proc } = engine
      return { name, address, host: `unix://${socket}`, control, proc }
    })
    const entering = this.#switch.entering('net')
    return {
      MOSAIC_TEST_SWARM: JSON.stringify({ nodes, shared: this.#shared, switch: entering }),
      MOSAIC_TEST_GATEWAY_IMAGE: GATEWAY_IMAGE,
      ...(this.#hasStack && {
        MOSAIC_TEST_MOSAIC_IMAGE: MOSAIC_IMAGE,
        MOSAIC_TEST_POSTGRES_IMAGE: POSTGRES_IMAGE,
      }),
    }
  }

  /** The words before a command that make it run in the network of the manager. */
  get inside() {
    return this.#nodes[0].engine.inside
  }

  /** The processes that everything in it descends from. */
  get pids() {
    return this.#nodes.map(({ engine }) => engine.pid)
  }

  async stop() {
    await Promise.all(this.#nodes.map(({ engine }) => engine.stop()))
    await this.#switch?.stop()
  }
}

/** Runs `ip` in a network namespace. */
function link([program, ...entering], words) {
  const failure = 'The nodes of the swarm could not be joined'
  return command(program, [...entering, 'ip', ...words], { failure })
}

function connect({ engine }) {
  return new Docker({ socketPath: engine.socket })
}
