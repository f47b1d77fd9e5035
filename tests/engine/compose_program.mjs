/**
 * Compose of the second generation, for the tests of the stack: found, else unpacked from Debian's package
 * where that is allowed. Debian 12 itself has the first generation only, which reads other files.
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { inPath } from '../runner/system.mjs'

/** A plugin of Docker's own program: where its packages put it. */
const PLUGIN_FOLDERS = [
  join(homedir(), '.docker/cli-plugins'),
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
]

/** The package of a later Debian: what is in it needs the C library of Debian 12 and nothing else. */
const PACKAGE = {
  version: '2.26.1-4',
  path: 'pool/main/d/docker-compose/docker-compose_2.26.1-4_amd64.deb',
  sha256: '47681197cb2b1ab88206b42a1a92fc75f50d9530a6322d03494a473eed0408ea',
  program: 'usr/libexec/docker/cli-plugins/docker-compose',
}

const DOWNLOAD_DEADLINE_MS = 5 * 60_000

/**
 * @param {string} storage Where an unpacked one is kept.
 * @returns {Promise<string>} The path of a program that takes what follows `docker compose`.
 * @throws SetupFailure
 */
export async function composeProgram(storage) {
  const places = PLUGIN_FOLDERS.map((folder) => join(folder, 'docker-compose'))
  for (const path of [...places.filter(existsSync), ...inPath('docker-compose')]) {
    if (await isSecondGeneration(path)) return path
  }
  const kept = join(storage, 'compose', PACKAGE.version, 'docker-compose')
  if (!existsSync(kept)) await unpack(kept)
  return kept
}

async function isSecondGeneration(path) {
  const said = await command(path, ['version', '--short']).catch(() => '')
  return /^v?([2-9]|\d\d)\./.test(said.trim())
}

async function unpack(target) {
  const failure = 'Docker Compose is missing, and could not be fetched from Debian'
  const help = 'Install it as a plugin of Docker, then try again.'
  const mirror = await debianMirror()
  if (!mirror) throw new SetupFailure('Docker Compose (2 or newer) is missing.', help)

  const folder = mkdtempSync(join(tmpdir(), 'mosaic-compose-'))
  try {
    const answer = await fetch(new URL(PACKAGE.path, mirror), {
      signal: AbortSignal.timeout(DOWNLOAD_DEADLINE_MS),
    }).catch((error) => ({ ok: false, status: error.message }))
    if (!answer.ok) throw new SetupFailure(`${failure} (${answer.status}).`, help)
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (createHash('sha256').update(bytes).digest('hex') !== PACKAGE.sha256) {
      throw new SetupFailure(`${failure}: what came is another file.`, help)
    }
    writeFileSync(join(folder, 'compose.deb'), bytes)
    await command('dpkg-deb', ['-x', join(folder, 'compose.deb'), folder], { failure, help })
    mkdirSync(join(target, '..'), { recursive: true })
    copyFileSync(join(folder, PACKAGE.program), `${target}.new`)
    renameSync(`${target}.new`, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where apt of this machine gets Debian's packages from; null where there is none, or other processors. */
async function debianMirror() {
  if (process.arch !== 'x64' || !inPath('apt-get').length) return null
  const format = [
    '--format',
    '$(SITE)',
    'Created-By: Packages',
    'Origin: Debian',
    'Component: main',
  ]
  const said = await command('apt-get', ['indextargets', ...format]).catch(() => '')
  const [site] = said.split('\n').filter((line) => !line.includes('security'))
  return site ? site.replace(/\/?$/, '/') : null
}
