import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import type { CodingClient } from '#tests/e2e/clients/coding_client'
import { clientFile } from '#tests/e2e/clients/packages'

/** `opencode run`. Its npm package is a stub that an install script replaces: this is the program itself. */
export const opencode: CodingClient = {
  name: 'opencode',
  takesImages: true,
  read: (file) => ({ name: 'read', args: { filePath: file } }),
  command({ model, prompt, image }, _place, { baseURL, apiKey }) {
    const models = { [model]: { name: model, attachment: true, modalities: MODALITIES } }
    const options = { baseURL, apiKey }
    const mosaic = { npm: '@ai-sdk/openai-compatible', name: 'Mosaic', options, models }
    const settings = {
      ...{ autoupdate: false, share: 'disabled', permission: { '*': 'allow' } },
      ...{ model: `mosaic/${model}`, small_model: `mosaic/${model}`, provider: { mosaic } },
    }
    const how = ['--pure', '--format', 'json', '--title', 'A test', '-m', `mosaic/${model}`]
    return {
      program: clientFile(`opencode-linux-${process.arch}/bin/opencode`),
      args: ['run', ...how, prompt, ...(image ? ['-f', image] : [])],
      env: {
        OPENCODE_CONFIG_CONTENT: JSON.stringify(settings),
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      },
    }
  },
}

const MODALITIES = { input: ['text', 'image'], output: ['text'] }

/** `cn`, Continue's command line. */
export const continueCli: CodingClient = {
  name: '@continuedev/cli',
  takesImages: false,
  read: (file) => ({ name: 'Read', args: { filepath: file } }),
  command({ model, prompt }, { home }, { baseURL, apiKey }) {
    const path = join(home, 'continue.yaml')
    const mosaic = {
      ...{ name: 'Mosaic', provider: 'openai', model, apiBase: baseURL, apiKey },
      ...{ roles: ['chat'], capabilities: ['tool_use'] },
    }
    /** JSON is YAML. */
    writeFileSync(path, JSON.stringify({ ...CONTINUE, models: [mosaic] }))
    return {
      program: process.execPath,
      args: [clientFile('@continuedev/cli/dist/cn.js'), '--config', path, '--auto', '-p', prompt],
      env: { CONTINUE_TELEMETRY_ENABLED: '0', CI: '1' },
    }
  },
}

const CONTINUE = { name: 'Test', version: '1.0.0', schema: 'v1' }

/** `codex exec`, which speaks the Responses API. */
export const codex: CodingClient = {
  name: '@openai/codex',
  takesImages: true,
  read: (file) => ({ name: 'exec_command', args: { cmd: `cat ${file}` } }),
  command({ model, prompt, image }, { home }, { baseURL, apiKey }) {
    const settings = {
      'model_provider': 'mosaic',
      'model_providers.mosaic.name': 'Mosaic',
      'model_providers.mosaic.base_url': baseURL,
      'model_providers.mosaic.env_key': 'MOSAIC_TOKEN',
      'model_providers.mosaic.wire_api': 'responses',
      'analytics.enabled': false,
    }
    const set = Object.entries(settings).flatMap(([key, value]) => [
      '-c',
      `${key}=${JSON.stringify(value)}`,
    ])
    const how = ['--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox']
    return {
      program: process.execPath,
      args: [
        ...[clientFile('@openai/codex/bin/codex.js'), 'exec', ...how, ...set, '-m', model, prompt],
        ...(image ? ['-i', image] : []),
      ],
      env: { CODEX_HOME: home, MOSAIC_TOKEN: apiKey },
    }
  },
}
