import { createHash } from 'node:crypto'
import { test } from '@japa/runner'
import { vaultSuite } from '@mosaic/plugin-kit/testing'
import { AcmeVault } from '../src/vault.ts'

/** Key for each key name used by the suite. */
const keyOf = (name: string) => createHash('sha256').update(name).digest()

vaultSuite(test, {
  name: 'acme',
  prepare: async () => ({
    open: async ([first, ...others]) =>
      new AcmeVault(async () => [keyOf(first), ...others.map(keyOf)]),
  }),
})
