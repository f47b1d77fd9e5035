import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
  type KeyObject,
} from 'node:crypto'

/** Says what the key is for, so that no other use of the token could lead to the same one. */
const PURPOSE = 'mosaic: device of a gateway'

/** What precedes the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Who Mosaic is to a gateway that lets devices in, as the official client asks for it. */
export interface GatewayDevice {
  /** SHA-256 of the public key: hexadecimal. */
  id: string
  /** The raw key: base64url. */
  publicKey: string
  /** An Ed25519 signature: base64url. */
  sign(payload: string): string
}

/**
 * Mosaic's device identity at one agent's gateway. OpenClaw requires a device for connections from another
 * host. The key is derived from the gateway token: a holder of the token may pair a device anyway, so the key
 * gives no more power, all replicas are the same device, and nothing needs storage. A new token makes a new
 * device, which is paired at the first call; the gateway forgets the former one after the start.
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
