import { secrets } from '#start/env'
import { defineConfig, drivers } from '@adonisjs/core/encryption'

/** Seals cookies and signed links. Its keys come from `MOSAIC_SECRET_KEY` and are not the vault's. */
const encryptionConfig = defineConfig({
  default: 'gcm',
  list: {
    gcm: drivers.aes256gcm({
      id: 'gcm',
      keys: secrets.keys.map((key) => key.derive('mosaic/app').toString('base64url')),
    }),
  },
})

export default encryptionConfig

declare module '@adonisjs/core/types' {
  export interface EncryptorsList extends InferEncryptors<typeof encryptionConfig> {}
}
