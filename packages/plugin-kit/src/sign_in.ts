/** Contract of a sign-in service, on top of any Ally driver. */
export * from '../../../app/identity/services/contract.js'
export * from '../../../app/identity/services/bound_driver.js'
export * from '../../../app/identity/services/registry.js'
export {
  E_SERVICE_ADDRESS,
  E_SERVICE_ANSWER,
  E_SIGN_IN_REFUSED,
  type SignInRefusal,
} from '../../../app/identity/services/errors.js'
