export default class IdentityProvider {}
