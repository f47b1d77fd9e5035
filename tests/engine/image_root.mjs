/**
 * What the images of the tests have in common: a root folder with this machine's Node, the libraries it
 * needs and busybox, packed as the one layer of an image. No registry is asked.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
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

/** The user of the official images of Node, as a number. */
export const NODE_UID = 1000

const ACCOUNTS = {
  'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nnode:x:${NODE_UID}:${NODE_UID}::/home/node:/bin/sh\n`,
  'etc/group': `root:x:0:\nnode:x:${NODE_UID}:\n`,
}

/** One each: Podman takes a line of several for one. */
export const USUAL_PATH = 'ENV PATH=/usr/local/bin:/usr/bin:/bin'

/**
 * Makes the folder that becomes the root of an image, and removes it after.
 *
 * @template Result
 * @param {string} busybox
 * @param {(root: string) => Promise<Result>} work
 */
export async function withRoot(busybox, work) {
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
    await copyLibraries(root, [node, busybox])
    return await work(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/**
 * Copies what programs are linked with to where they look for it.
 *
 * @param {string} root
 * @param {string[]} programs
 * @returns {Promise<string[]>} Their paths.
 */
export async function copyLibraries(root, programs) {
  const found = new Set()
  for (const program of programs) for (const one of await libraries(program)) found.add(one)
  for (const library of found) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
  return [...found]
}

/** The files that a program is linked with; none where it is static. */
async function libraries(program) {
  const said = await command('ldd', [program]).catch(() => '')
  return [...said.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path).filter(existsSync)
}

/**
 * Packs files into the one layer of an image, straight to the engine.
 *
 * @param {import('dockerode')} docker
 * @param {string} image Its name and tag.
 * @param {string[]} args What tar is told to take.
 * @param {string[]} instructions As a Dockerfile has them.
 */
export async function importTar(docker, image, args, instructions) {
  const [repo, tag] = image.split(':')
  // Who is not root cannot give files to others: then all is the agent's.
  const owner = process.getuid() === 0 ? [] : [`--owner=${NODE_UID}`, `--group=${NODE_UID}`]
  const tar = spawn('tar', ['--create', '--numeric-owner', ...owner, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(tar, 'exit')
  const progress = await docker.importImage(tar.stdout, { changes: instructions })
  const lines = await new Promise((resolve, reject) => {
    docker.modem.followProgress(progress, (error, said) => (error ? reject(error) : resolve(said)))
  })
  const [code] = await ended
  if (code !== 0) throw new Error(`The image ${image} could not be packed (tar: ${code})`)
  // Podman takes no name along, and both say last of all which one it has become.
  await docker.getImage(lines.at(-1).status.trim()).tag({ repo, tag })
}
