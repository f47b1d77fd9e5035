import { E_RUNTIME_NAME_TAKEN, RuntimeError, explainExit } from '@mosaic/plugin-kit/runtime'
import {
  E_VAULT_TAMPERED,
  E_VAULT_UNKNOWN_KEY,
  E_VAULT_UNREACHABLE,
} from '@mosaic/plugin-kit/vault'
import { openClawEntry, type OpenClawProvider } from '@mosaic/plugin-kit/llm'
import { API_VERSION } from '@mosaic/plugin-kit'

export const version: 1 = API_VERSION

export const errors = [
  new RuntimeError('no_capacity', 'The machine is full.', { help: 'Add memory.' }),
  new E_RUNTIME_NAME_TAKEN('mosaic-user-1'),
  new E_VAULT_TAMPERED(),
  new E_VAULT_UNKNOWN_KEY('Archived.', { help: 'Restore it.', cause: new Error('410') }),
  new E_VAULT_UNREACHABLE('It is sealed.', { help: 'Unseal it.', status: 503 }),
  // @ts-expect-error The reasons are a closed list.
  new RuntimeError('because', 'It did not work.'),
]

export const exit = explainExit({ code: 78, signal: null }, false, []).failure?.reason

export const entry = (provider: OpenClawProvider) =>
  openClawEntry(provider, 'http://127.0.0.1:1', {
    input: ['text'],
    // @ts-expect-error There is no option of this name.
    streaming: true,
  })
