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

export default bodyParserConfig
