/**
 * Stand-ins for the two images of the hub that the stack of `docker/compose.yaml` is made from, Node's and
 * PostgreSQL's, of this machine's own programs. What that file and the Dockerfile ask of the official ones
 * they do as those do.
 */
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { command } from '../../bin/setup/command.mjs'
import { inPath, postgresPrograms } from '../runner/system.mjs'
import { copyLibraries, importTar, NODE_UID, USUAL_PATH, withRoot } from './image_root.mjs'
import { BUILD_PROXY } from './way_out.mjs'

export const NODE_IMAGE = 'mosaic-test/node:24'
export const POSTGRES_IMAGE = 'mosaic-test/postgres:1'

/** The authorities that this machine trusts: it may reach the registry of packages through one of its own. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/**
 * An image with Node and npm, which gets packages from where npm of this machine gets them.
 *
 * @param {import('dockerode')} docker
 * @param {{ busybox: string }} programs
 */
export async function importNodeImage(docker, { busybox }) {
  const npm = join(dirname(realpathSync(inPath('npm')[0])), '..')
  const registry = (await command('npm', ['config', 'get', 'registry'])).trim()
  await withRoot(busybox, async (root) => {
    const modules = join(root, 'usr/local/lib/node_modules')
    mkdirSync(modules, { recursive: true })
    cpSync(npm, join(modules, 'npm'), { recursive: true })
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
    symlinkSync('/bin/busybox', join(root, 'usr/bin/env'))
    await copyLibrariesBeside(root, 'libc.so.6')
    const settings = [`npm_config_registry=${registry}`, `npm_config_https_proxy=${BUILD_PROXY}`]
    if (existsSync(AUTHORITIES)) {
      mkdirSync(join(root, dirname(AUTHORITIES)), { recursive: true })
      cpSync(AUTHORITIES, join(root, AUTHORITIES))
      settings.push(`npm_config_cafile=${AUTHORITIES}`)
    }
    await importTar(
      docker,
      NODE_IMAGE,
      ['-C', root, '.'],
      [USUAL_PATH, ...settings.map((one) => `ENV ${one}`), 'CMD ["node"]']
    )
  })
}

/** The parts of the C library that only some packages' own programs ask for, as in any whole system. */
async function copyLibrariesBeside(root, name) {
  const [path] = (await copyLibraries(root, [process.execPath])).filter(
    (one) => basename(one) === name
  )
  for (const part of ['librt', 'libutil', 'libresolv']) {
    for (const file of readdirSync(dirname(path)).filter((one) => one.startsWith(`${part}.so.`))) {
      cpSync(join(dirname(path), file), join(root, dirname(path), file), { dereference: true })
    }
  }
}

/**
 * Makes the database at the first start, then serves it: what is asked of it comes by the environment. As in the image
 * of the hub, a password is needed from everywhere but the container itself.
 */
const POSTGRES_ENTRYPOINT = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password -E UTF8 --locale=C
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  [ "$POSTGRES_DB" = postgres ] || echo "create database $POSTGRES_DB" | postgres --single -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c listen_addresses=*
`

const DATA = 'var/lib/postgresql/data'

/**
 * An image with PostgreSQL.
 *
 * @param {import('dockerode')} docker
 * @param {{ busybox: string }} programs
 */
export async function importPostgresImage(docker, { busybox }) {
  const bin = realpathSync(await postgresPrograms())
  // Programs find their files by where they are themselves.
  const folders = [dirname(bin), join('/usr/share/postgresql', basename(dirname(bin)))]
  const shared = folders.filter(existsSync)
  if (shared.length < folders.length) {
    throw new SetupFailure(
      `${folders.at(-1)} is missing: the stack is tried with Debian's PostgreSQL.`
    )
  }
  await withRoot(busybox, async (root) => {
    for (const folder of [...shared, '/usr/share/zoneinfo'].filter(existsSync)) {
      cpSync(folder, join(root, folder), { recursive: true, verbatimSymlinks: true })
    }
    await copyLibraries(
      root,
      readdirSync(bin).map((name) => join(bin, name))
    )
    for (const folder of [DATA, 'var/run/postgresql']) {
      mkdirSync(join(root, folder), { recursive: true })
      chownSync(join(root, folder), NODE_UID, NODE_UID)
    }
    writeFileSync(join(root, 'usr/local/bin/serve'), POSTGRES_ENTRYPOINT, { mode: 0o755 })
    await importTar(
      docker,
      POSTGRES_IMAGE,
      ['-C', root, '.'],
      [
        `ENV PATH=${bin}:/usr/local/bin:/usr/bin:/bin`,
        `ENV PGDATA=/${DATA}`,
        `VOLUME /${DATA}`,
        `USER ${NODE_UID}`,
        'ENTRYPOINT ["/bin/sh", "/usr/local/bin/serve"]',
      ]
    )
  })
}
