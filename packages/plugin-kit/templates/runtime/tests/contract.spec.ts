import { test } from '@japa/runner'
import { hostileAgentSuite, runtimeDataSuite, runtimeSuite } from '@mosaic/plugin-kit/testing'
import { capabilities, prepare } from './trial.ts'

runtimeSuite(test, { name: 'acme', capabilities, prepare })
runtimeDataSuite(test, { name: 'acme', prepare })
hostileAgentSuite(test, { name: 'acme', capabilities, prepare })
