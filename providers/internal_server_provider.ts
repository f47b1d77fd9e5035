export default class InternalServerProvider {}
