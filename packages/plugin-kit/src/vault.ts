/** Contract of a vault driver, and its errors. */
export * from '../../../app/vaults/contract.js'
export * from '../../../app/vaults/define_config.js'
export {
  E_VAULT_NOT_SEALED,
  E_VAULT_TAMPERED,
  E_VAULT_UNKNOWN_KEY,
  E_VAULT_UNREACHABLE,
} from '../../../app/vaults/errors.js'

/** Declare your vault's name in `VaultDrivers`, and `use` accepts it. */
export * from '../../../app/vaults/manager.js'

declare module '../../../app/vaults/manager.js' {
  interface VaultDrivers {
    aes256gcm: true
  }
}
