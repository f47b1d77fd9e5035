/** Certificates for an engine behind TLS: an authority, one certificate of the engine, one of a client. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'

/** A private engine does not live for a day. */
const DAYS = '2'

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/**
 * Makes `engine/` and `client/` in a folder, each with `ca.pem`, `cert.pem` and `key.pem` as Docker's own
 * programs name them, and `stranger/`: a client whom another authority vouches for.
 *
 * @param {string} folder
 * @param {string} address Where the engine is reached.
 */
export async function makeCertificates(folder, address) {
  await makeAuthority(join(folder, 'authority'))
  await makeAuthority(join(folder, 'foreign'))
  const purpose = (usage) => `extendedKeyUsage=${usage}\nsubjectAltName=IP:${address}\n`
  await makeCertificate(folder, 'engine', 'authority', purpose('serverAuth'))
  await makeCertificate(folder, 'client', 'authority', purpose('clientAuth'))
  await makeCertificate(folder, 'stranger', 'foreign', purpose('clientAuth'))
}

async function makeAuthority(folder) {
  mkdirSync(folder, { recursive: true })
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  await openssl(
    'req',
    '-x509',
    ...KEY,
    '-days',
    DAYS,
    '-subj',
    '/CN=authority of the tests',
    ...files
  )
}

async function makeCertificate(root, name, authority, extensions) {
  const folder = join(root, name)
  const file = (one) => join(folder, one)
  mkdirSync(folder)
  writeFileSync(file('extensions'), extensions)
  await openssl(
    'req',
    ...KEY,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    file('key.pem'),
    '-out',
    file('asked')
  )
  const by = ['-CA', join(root, authority, 'cert.pem'), '-CAkey', join(root, authority, 'key.pem')]
  const what = ['-in', file('asked'), '-extfile', file('extensions'), '-out', file('cert.pem')]
  await openssl('x509', '-req', '-days', DAYS, '-CAcreateserial', ...by, ...what)
  // A stranger trusts the engine all the same: it is the engine that refuses.
  await command('cp', [join(root, 'authority', 'cert.pem'), file('ca.pem')])
}

async function openssl(...args) {
  await command('openssl', args, {
    failure: 'The certificates of the test engine could not be made',
  })
}
