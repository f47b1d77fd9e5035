export default class OpenclawProvider {}
