import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  type KeyObject,
} from 'node:crypto'

/** Key derivation context, so that no other use of the token yields the same key. */
const PURPOSE = 'mosaic: device of a gateway'

/** PKCS #8 prefix of a 32-byte Ed25519 key (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Mosaic's identity at a gateway that requires devices, as the official client expects it. */
export interface GatewayDevice {
  /** SHA-256 of the public key, in hex. */
  id: string
  /** The raw public key, in base64url. */
  publicKey: string
  /** Returns an Ed25519 signature in base64url. */
  sign(payload: string): string
}

/**
 * Returns Mosaic's device identity at one agent's gateway. OpenClaw requires a device for connections from
 * another host. The key is derived from the gateway token: a holder of the token may pair a device anyway, so
 * the key grants nothing more, all replicas are the same device, and nothing is stored. A new token makes a
 * new device, which is paired at the first call; the gateway forgets the old one after the start.
 */
export function deviceOf(token: string): GatewayDevice {
  const seed = Buffer.from(hkdfSync('sha256', token, '', PURPOSE, 32))
  const key = Buffer.concat([PKCS8_ED25519, seed])
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  const publicKey = rawPublicKey(privateKey)
  return {
    id: createHash('sha256').update(publicKey).digest('hex'),
    publicKey: publicKey.toString('base64url'),
    sign: (payload) => sign(null, Buffer.from(payload), privateKey).toString('base64url'),
  }
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  return Buffer.from(x!, 'base64url')
}
