/** The programs of a private engine: found, else installed with apt where that is allowed. */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { inPath, installed } from '../runner/system.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'

const POLICY = '/usr/sbin/policy-rc.d'
const NEEDED = {
  docker: {
    programs: ['dockerd', 'iptables', 'ip', 'openssl'],
    packages: ['docker.io', 'iptables', 'iproute2', 'openssl'],
  },
  podman: {
    programs: ['podman', 'conmon', 'iptables', 'ip', 'catatonit'],
    packages: ['podman', 'crun', 'conmon', 'netavark', 'catatonit', 'iptables', 'iproute2'],
  },
}

/**
 * @param {'docker' | 'podman'} kind
 * @returns {Promise<string>} The path of an init that reaps whatever lost its parent.
 */
export async function enginePrograms(kind) {
  const { programs, packages } = NEEDED[kind]
  if (process.getuid?.() !== 0) {
    throw new SetupFailure(
      'The tests of the docker driver start a Docker engine of their own, which only root may do.',
      'Name an engine that may be used with MOSAIC_TEST_DOCKER_HOST, as unix:///var/run/docker.sock.'
    )
  }
  const found = () => {
    const paths = programs.map((name) => inPath(name)[0])
    return paths.every(Boolean) ? inPath('docker-init', 'tini', 'catatonit')[0] : undefined
  }
  return found() ?? (await withoutServices(() => installed(`The engine ${kind}`, packages, found)))
}

/** @returns {Promise<string>} The path of busybox, which images get their shell from. */
export async function busybox() {
  const found = () => inPath('busybox')[0]
  return found() ?? (await installed('busybox', ['busybox'], found))
}

/** Debian's package starts an engine for the whole machine: tests want the programs alone. */
async function withoutServices(work) {
  if (existsSync(POLICY)) return work()

  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n')
  chmodSync(POLICY, 0o755)
  try {
    return await work()
  } finally {
    rmSync(POLICY, { force: true })
  }
}
