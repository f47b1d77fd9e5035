export default class AgentsProvider {}
