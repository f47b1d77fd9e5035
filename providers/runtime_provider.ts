export default class RuntimeProvider {}
