/** How the supervisor runs a Docker engine. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCertificates } from './certificates.mjs'

/** The default bridge, in a range that neither tests nor Docker's own pools use. */
export const BRIDGE_ADDRESS = '172.31.250.1'
const BRIDGE_BITS = 24

/** Where it is reached behind TLS as well: in a network of its own, any port is free. */
const TLS_ADDRESS = '127.0.0.1'
const TLS_PORT = 2376

const configIn = (folder) => join(folder, 'daemon.json')
const tlsIn = (folder) => join(folder, 'tls')

/** @param {string} folder */
export async function prepare(folder) {
  // The settings of the machine's own engine, in /etc/docker, are none of ours.
  writeFileSync(configIn(folder), '{}')
  await makeCertificates(tlsIn(folder), TLS_ADDRESS)
}

/**
 * @param {string} folder
 * @param {string} socket Where it is to answer.
 * @param {string} cgroup Where it puts its containers.
 */
export function words(folder, socket, cgroup) {
  const certificate = (name) => join(tlsIn(folder), 'engine', name)
  return [
    ['dockerd', '--config-file', configIn(folder)],
    ['--data-root', join(folder, 'data')],
    ['--exec-root', join(folder, 'exec')],
    ['--pidfile', join(folder, 'dockerd.pid')],
    ['--host', `unix://${socket}`],
    ['--host', `tcp://${TLS_ADDRESS}:${TLS_PORT}`],
    ['--tlsverify', '--tlscacert', certificate('ca.pem')],
    ['--tlscert', certificate('cert.pem'), '--tlskey', certificate('key.pem')],
    ['--bip', `${BRIDGE_ADDRESS}/${BRIDGE_BITS}`],
    ['--cgroup-parent', `/${cgroup}`],
    ['--exec-opt', 'native.cgroupdriver=cgroupfs'],
    ['--log-level', 'warn'],
  ].flat()
}
