import app from '@adonisjs/core/services/app'
import env from '#start/env'
import {
  defineConfig,
  destination,
  stdSerializers,
  syncDestination,
  targets,
} from '@adonisjs/core/logger'
import { loggedError } from '#exceptions/logged_error'

/** Fields that must never be logged, at up to two levels of nesting. */
const SECRET_PATHS = [
  'authorization',
  'cookie',
  'password',
  'apiKey',
  'token',
  'gatewayToken',
  'clientSecret',
  'setupToken',
].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** A command's standard output is reserved for its result, so logs go to standard error. */
const standardError = app.getEnvironment() === 'console' ? destination(2) : undefined

const loggerConfig = defineConfig({
  default: 'app',
  loggers: {
    app: {
      enabled: true,
      name: 'mosaic',
      level: env.get('LOG_LEVEL') ?? (app.inTest ? 'error' : 'info'),
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      serializers: { err: (error: Error) => stdSerializers.err(loggedError(error) as Error) },
      destination: standardError ?? (app.inProduction ? undefined : await syncDestination()),
      transport: {
        targets: [targets.file({ destination: 1 })],
      },
    },
  },
})

export default loggerConfig

declare module '@adonisjs/core/types' {
  export interface LoggersList extends InferLoggers<typeof loggerConfig> {}
}
