/** Gets what suites need: installs what is missing, starts databases and engines, and stops them at the end. */
import { join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'
import { build } from '../../bin/setup/build.mjs'
import { ROOT, node24, withNode24 } from '../../bin/setup/node24.mjs'
import { OPENCLAW_VERSION, installOpenClaw } from '../../bin/install_openclaw.mjs'
import { PrivatePostgres } from './postgres.mjs'
import { bubblewrap, chromium } from './system.mjs'
import { installClients } from './clients.mjs'

const STORAGE = join(ROOT, 'storage')

/** Engines by what a run says that it needs; their modules need packages that are installed by then. */
const ENGINES = {
  engine: { title: 'Docker engine', open: () => openEngine('docker') },
  podman: { title: 'Podman', open: () => openEngine('podman') },
  swarm: { title: 'Docker swarm of two nodes', open: openSwarm },
}

async function openEngine(kind) {
  const { TestEngine } = await import('../engine/test_engine.mjs')
  return new TestEngine(kind)
}

async function openSwarm() {
  const { TestSwarm } = await import('../engine/test_swarm.mjs')
  return new TestSwarm()
}

export class Preparation {
  /** Variables for every suite. */
  env = {}
  postgres = null
  engines = new Map()

  /** What each need takes, in an order in which the longest suites can begin first. */
  #steps = {
    'postgres': ['PostgreSQL', () => this.#startPostgres()],
    'chromium': ['Chromium', async () => (this.env.CHROMIUM_PATH = await chromium())],
    'openclaw': [`OpenClaw ${OPENCLAW_VERSION}`, (report) => installOpenClaw(STORAGE, report)],
    'bubblewrap': ['bubblewrap', bubblewrap],
    'clients': ['OpenAI clients', (report) => installClients(STORAGE, report)],
    ...Object.fromEntries(
      Object.entries(ENGINES).map(([need, { title }]) => [
        need,
        [title, () => this.#startEngine(need)],
      ])
    ),
    'openclaw image': ['Image with OpenClaw', () => this.#addOpenclawImage()],
    'swarm stack': ['Images of the stack', () => this.#addSwarmStack()],
    'stack': ['Compose and its images', () => this.#addStack()],
  }

  /** Makes what every suite reads: the generated code and, if one needs it, the build. */
  async makeCode(needs, terminal) {
    await terminal.step('Generated code', async () => {
      const failure = 'The code that is generated from the source could not be made'
      const env = withNode24({ ...process.env, NODE_ENV: 'development' })
      await command(node24(), ['ace.js', 'codegen'], { cwd: ROOT, env, failure })
      return 'made'
    })
    if (needs.has('build')) await terminal.step('Build', build)
  }

  /** @param {(need: string) => void} isReady Hears of each need that is met. */
  async meet(needs, terminal, isReady) {
    for (const [need, [label, work]] of Object.entries(this.#steps)) {
      if (!needs.has(need)) continue
      await terminal.step(label, work)
      isReady(need)
    }
  }

  async stop() {
    await this.postgres?.stop()
    for (const engine of this.engines.values()) await engine.stop()
  }

  async #startPostgres() {
    this.postgres = new PrivatePostgres()
    await this.postgres.start()
    return 'running'
  }

  async #startEngine(need) {
    const engine = await ENGINES[need].open()
    this.engines.set(need, engine)
    const state = await engine.start()
    await engine.addGatewayImage()
    return state
  }

  async #addOpenclawImage() {
    await this.engines.get('engine').addOpenclawImage(STORAGE)
    return 'there'
  }

  async #addSwarmStack() {
    await this.engines.get('swarm').addStackImages()
    return 'there'
  }

  async #addStack() {
    const { composeProgram } = await import('../engine/compose_program.mjs')
    this.env.MOSAIC_TEST_COMPOSE = await composeProgram(STORAGE)
    await this.engines.get('engine').addHubImages()
    return 'there'
  }
}
