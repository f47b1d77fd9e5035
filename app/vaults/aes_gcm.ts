import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'
import type { SealContext } from '#vaults/contract'
import { E_VAULT_TAMPERED } from '#vaults/errors'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * A text or bytes under a key of 32 bytes, bound to their place: base64url of a random nonce, the tag and the
 * ciphertext.
 */
export function encrypt(key: KeyObject, plain: string | Buffer, context: SealContext): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(additionalData(context))
  const bytes = typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain
  const text = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
}

/** @throws E_VAULT_TAMPERED when it was altered, or encrypted with another key or for another place */
export function decrypt(key: KeyObject, encoded: string, context: SealContext): string {
  return decryptBytes(key, encoded, context).toString('utf8')
}

/** As `decrypt`, for bytes. */
export function decryptBytes(key: KeyObject, encoded: string, context: SealContext): Buffer {
  const payload = Buffer.from(encoded, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, payload.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(additionalData(context))
    decipher.setAuthTag(payload.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const text = decipher.update(payload.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([text, decipher.final()])
  } catch (cause) {
    throw new E_VAULT_TAMPERED(undefined, { cause })
  }
}

/** JSON keeps the three parts apart: no table and column can be chosen to look like another pair. */
function additionalData(context: SealContext): Buffer {
  return Buffer.from(JSON.stringify([context.table, context.column, context.rowId]))
}
