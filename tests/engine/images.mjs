/**
 * The images that agents of the tests start from, made of files that are here already. Each is as small as
 * an agent's image can be, and laid out like the official one: user `node` (1000), who owns nothing but its
 * home folder, and a working folder with `openclaw.mjs` in it.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OPENCLAW_VERSION } from '../../bin/install_openclaw.mjs'
import { installFakeOpenclaw } from '../doubles/fake_openclaw.ts'
import { importTar, USUAL_PATH, withRoot } from './image_root.mjs'

export const GATEWAY_IMAGE = 'mosaic-test/gateway:1'
export const OPENCLAW_IMAGE = `mosaic-test/openclaw:${OPENCLAW_VERSION}`

/** Where npm puts what is installed for everybody. */
const MODULES = 'usr/local/lib/node_modules'

const INSTRUCTIONS = [
  `WORKDIR /${MODULES}/openclaw`,
  'USER node',
  USUAL_PATH,
  'ENV NODE_ENV=production',
  'ENV HOME=/home/node',
  'EXPOSE 18789',
  'CMD ["node", "openclaw.mjs", "gateway", "--bind", "lan", "--port", "18789"]',
]

/**
 * An agent's image with a double of OpenClaw, which starts in a moment.
 *
 * @param {import('dockerode')} docker
 * @param {{ busybox: string }} programs
 */
export async function importGatewayImage(docker, { busybox }) {
  await withRoot(busybox, async (root) => {
    const installed = await installFakeOpenclaw(join(root, 'fake'))
    mkdirSync(join(root, dirname(MODULES)), { recursive: true })
    cpSync(dirname(installed), join(root, MODULES), { recursive: true })
    rmSync(join(root, 'fake'), { recursive: true })
    await importTar(docker, GATEWAY_IMAGE, ['-C', root, '.'], INSTRUCTIONS)
  })
}

/**
 * An agent's image with the real OpenClaw.
 *
 * @param {import('dockerode')} docker
 * @param {{ busybox: string }} programs
 * @param {string} storage Where OpenClaw is installed: `<storage>/openclaw/<version>`.
 */
export async function importOpenclawImage(docker, { busybox }, storage) {
  await withRoot(busybox, async (root) => {
    // Half a gigabyte goes straight from where it is installed to the engine.
    const installed = ['-C', join(storage, 'openclaw', OPENCLAW_VERSION), 'node_modules']
    const moved = ['--transform', `s,^node_modules,${MODULES},`]
    await importTar(docker, OPENCLAW_IMAGE, [...moved, '-C', root, '.', ...installed], INSTRUCTIONS)
  })
}
