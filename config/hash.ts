import { defineConfig, drivers } from '@adonisjs/core/hash'

/** Passwords: bcrypt, which reads 72 bytes at most, so the validators refuse longer ones. */
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
