import { secrets } from '#start/env'
import { defineConfig, drivers } from '@adonisjs/core/encryption'

/** Encrypts cookies and signed links. Its keys derive from `MOSAIC_SECRET_KEY`, apart from the vault's. */
const encryptionConfig = defineConfig({
  default: 'gcm',
  list: {
    gcm: drivers.aes256gcm({
      id: 'gcm',
      keys: secrets.keys.map((key) => key.derive('mosaic/app').export().toString('base64url')),
    }),
  },
})

export default encryptionConfig

declare module '@adonisjs/core/types' {
  export interface EncryptorsList extends InferEncryptors<typeof encryptionConfig> {}
}
