export { OpenrouterAdapter } from './adapter.ts'
