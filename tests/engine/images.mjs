/**
 * The images of the tests, from files that are here already: no registry is asked. Each is one layer with
 * this machine's Node, the libraries it needs and busybox, as small as an agent's image can be, and laid
 * out like the official one: user `node` (1000), who owns nothing but its home folder, and a working folder
 * with `openclaw.mjs` in it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'
import { OPENCLAW_VERSION } from '../../bin/install_openclaw.mjs'
import { installFakeOpenclaw } from '../doubles/fake_openclaw.ts'

export const GATEWAY_IMAGE = 'mosaic-test/gateway:1'
export const OPENCLAW_IMAGE = `mosaic-test/openclaw:${OPENCLAW_VERSION}`

/** Where npm puts what is installed for everybody. */
const MODULES = 'usr/local/lib/node_modules'

const NODE_UID = 1000

const ACCOUNTS = {
  'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nnode:x:${NODE_UID}:${NODE_UID}::/home/node:/bin/sh\n`,
  'etc/group': `root:x:0:\nnode:x:${NODE_UID}:\n`,
}

const INSTRUCTIONS = [
  `WORKDIR /${MODULES}/openclaw`,
  'USER node',
  // One each: Podman takes a line of several for one.
  'ENV PATH=/usr/local/bin:/usr/bin:/bin',
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
    await importTar(docker, GATEWAY_IMAGE, ['-C', root, '.'])
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
    await importTar(docker, OPENCLAW_IMAGE, [...moved, '-C', root, '.', ...installed])
  })
}

/** Makes the folder that becomes the root of an image, and removes it after. */
async function withRoot(busybox, work) {
  const root = mkdtempSync(join(tmpdir(), 'mosaic-image-'))
  try {
    chmodSync(root, 0o755)
    for (const folder of ['bin', 'etc', 'root', 'usr/bin', 'usr/local/bin', 'home/node']) {
      mkdirSync(join(root, folder), { recursive: true })
    }
    mkdirSync(join(root, 'tmp'))
    chmodSync(join(root, 'tmp'), 0o1777)
    if (process.getuid() === 0) chownSync(join(root, 'home/node'), NODE_UID, NODE_UID)
    for (const [path, text] of Object.entries(ACCOUNTS)) writeFileSync(join(root, path), text)

    const node = realpathSync(process.execPath)
    copyFileSync(node, join(root, 'usr/local/bin/node'))
    copyFileSync(busybox, join(root, 'bin/busybox'))
    for (const name of (await command(busybox, ['--list'])).split('\n').filter(Boolean)) {
      if (name !== 'busybox') symlinkSync('/bin/busybox', join(root, 'bin', name))
    }
    for (const library of new Set([...(await libraries(node)), ...(await libraries(busybox))])) {
      mkdirSync(join(root, dirname(library)), { recursive: true })
      copyFileSync(library, join(root, library))
    }
    return await work(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** The files that a program is linked with; none where it is static. */
async function libraries(program) {
  const said = await command('ldd', [program]).catch(() => '')
  return [...said.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path).filter(existsSync)
}

async function importTar(docker, image, args) {
  const [repo, tag] = image.split(':')
  // Who is not root cannot give files to others: then all is the agent's.
  const owner = process.getuid() === 0 ? [] : [`--owner=${NODE_UID}`, `--group=${NODE_UID}`]
  const tar = spawn('tar', ['--create', '--numeric-owner', ...owner, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(tar, 'exit')
  const progress = await docker.importImage(tar.stdout, { changes: INSTRUCTIONS })
  const lines = await new Promise((resolve, reject) => {
    docker.modem.followProgress(progress, (error, said) => (error ? reject(error) : resolve(said)))
  })
  const [code] = await ended
  if (code !== 0) throw new Error(`The image ${image} could not be packed (tar: ${code})`)
  // Podman takes no name along, and both say last of all which one it has become.
  await docker.getImage(lines.at(-1).status.trim()).tag({ repo, tag })
}
