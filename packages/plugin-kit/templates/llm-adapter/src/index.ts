export { AcmeAdapter } from './adapter.ts'
