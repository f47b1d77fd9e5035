/**
 * An image of Mosaic from the build and the packages of this folder, in seconds, where `docker/Dockerfile` asks the
 * registry of packages. Its configuration is that of the Dockerfile.
 */
import { chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../bin/setup/node24.mjs'
import { importTar, NODE_UID, USUAL_PATH, withRoot } from './image_root.mjs'

export const MOSAIC_IMAGE = 'mosaic-test/mosaic:1'

/** Instructions of a Dockerfile that change the configuration alone, and that an import knows. */
const CONFIGURATION = /^(CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|USER|VOLUME|WORKDIR) /

/** What the image's user writes to. */
const WRITABLE = 'var/lib/mosaic'

/**
 * @param {import('dockerode')} docker
 * @param {{ busybox: string }} programs
 */
export async function importMosaicImage(docker, { busybox }) {
  const packages = productionPackages()
  await withRoot(busybox, async (root) => {
    const app = join(root, 'app')
    cpSync(join(ROOT, 'build'), app, { recursive: true })
    mkdirSync(join(app, 'plugins'), { recursive: true })
    cpSync(join(ROOT, 'docker/start.sh'), join(app, 'docker/start.sh'))
    for (const folder of [WRITABLE, 'var/lib/socket-proxy']) {
      mkdirSync(join(root, folder), { recursive: true })
      chownSync(join(root, folder), NODE_UID, NODE_UID)
    }
    const args = ['--transform', 's,^node_modules,app/node_modules,', '-C', root, '.']
    await importTar(
      docker,
      MOSAIC_IMAGE,
      [...args, '-C', ROOT, ...packages],
      [USUAL_PATH, ...configuration()]
    )
  })
}

/** Folders of the packages that a server needs, from the repository's root: a folder has its own packages in it. */
function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  return Object.entries(packages)
    .filter(([path]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))
    .filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional)
    .map(([path]) => path)
}

/** The last stage's instructions, each on one line. */
function configuration() {
  const text = readFileSync(join(ROOT, 'docker/Dockerfile'), 'utf8')
  const stage = text.slice(text.lastIndexOf('\nFROM ') + 1)
  const lines = stage.replace(/\\\n\s*/g, ' ').split('\n')
  return lines.filter((line) => CONFIGURATION.test(line))
}
