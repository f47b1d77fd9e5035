import { defineConfig } from '@adonisjs/core/bodyparser'

/** Forms and JSON only. The relay parses chat bodies itself, with its own size limit. */
const bodyParserConfig = defineConfig({
  allowedMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],
  form: { convertEmptyStringsToNull: true, types: ['application/x-www-form-urlencoded'] },
  json: {
    convertEmptyStringsToNull: true,
    limit: '1mb',
    types: ['application/json', 'application/json; charset=utf-8'],
  },
  multipart: { autoProcess: false, convertEmptyStringsToNull: true, types: [] },
})

/** Bytes of a body that carries files: 10 MB of them in base64, and a long message. */
export const FILES_BODY_BYTES = 15 * 1024 * 1024

/** For the few routes that take files in their JSON. */
export const filesBodyParserConfig = defineConfig({
  ...bodyParserConfig,
  json: { ...bodyParserConfig.json, limit: FILES_BODY_BYTES },
})

export default bodyParserConfig
