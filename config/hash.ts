import { defineConfig, drivers } from '@adonisjs/core/hash'

/** Password hashes: bcrypt reads at most 72 bytes, so the validators refuse longer passwords. */
const hashConfig = defineConfig({
  default: 'bcrypt',
  list: {
    bcrypt: drivers.bcrypt({ rounds: process.env.NODE_ENV === 'test' ? 4 : 12 }),
  },
})

export default hashConfig

declare module '@adonisjs/core/types' {
  export interface HashersList extends InferHashers<typeof hashConfig> {}
}
