export default class LlmProvider {}
