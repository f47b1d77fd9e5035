import { E_VAULT_UNREACHABLE } from '@mosaic/plugin-kit/vault'

/** 32 bytes each. The first key seals; any key opens. */
export type Keys = [Buffer, ...Buffer[]]

/**
 * Start here: load the keys from where you keep them. They must be the same at every start and for every process
 * of Mosaic: new keys cannot open what older ones sealed, so do not make any here.
 */
export async function readKeys(): Promise<Keys> {
  throw new E_VAULT_UNREACHABLE('This vault has no keys. Begin with "readKeys" in src/keys.ts.', {
    help: 'Read them from where you keep them, then build the plugin and add it again.',
  })
}
