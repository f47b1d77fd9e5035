/** The names of the API's operations: clients are generated from them, so none may change or go. */
export const OPERATION_IDS = `
  get.admin.about.show
  get.admin.agents.index patch.admin.agents.update post.admin.agents.restart post.admin.agents.stop
  get.admin.audit.export get.admin.audit.index
  get.admin.checklist.show patch.admin.checklist.update
  get.admin.fleet.events get.admin.fleet.show
  post.admin.mail.test
  get.admin.nodes.index
  get.admin.oidc.show post.admin.oidc.role post.admin.oidc.test put.admin.oidc.update
  get.admin.runtimes.index
  get.admin.settings.index patch.admin.settings.update
  get.admin.signInServices.index put.admin.signInServices.update
  delete.admin.systemAgents.destroy get.admin.systemAgents.index get.admin.systemAgents.logs
    patch.admin.systemAgents.update post.admin.systemAgents.restart post.admin.systemAgents.start
    post.admin.systemAgents.stop post.admin.systemAgents.store
  get.admin.usage.index
  delete.admin.users.revokeInvitation get.admin.users.index get.admin.users.show
    patch.admin.users.update post.admin.users.deactivate post.admin.users.invite
    post.admin.users.reactivate post.admin.users.renewInvitation
  get.agent.events get.agent.log get.agent.show post.agent.keep_awake post.agent.restart
    post.agent.start post.agent.stop
  get.agentConfig.show put.agentConfig.update
  post.anthropic.count post.anthropic.message
  get.api.conversation get.api.conversations post.api.chat
  delete.api.conversation.delete get.api.conversation.picture get.api.conversation.run
    patch.api.conversation.update post.api.conversation.approve
  delete.api.conversation.run.stop
  delete.api.upload.delete post.api.upload.create
  delete.archive.destroy get.archive.index get.archive.search get.archive.show put.archive.update
  get.docs.index get.docs.show
  delete.findings.destroy get.findings.index get.findings.show patch.findings.update
    post.findings.search post.findings.store
  get.invitations.show post.invitations.accept
  get.knowledge.export get.knowledge.unreadable
  delete.knowledge.unreadable.destroy
  get.me.show
  delete.memories.destroy get.memories.index get.memories.show put.memories.update
  get.onboarding.show post.onboarding.auth post.onboarding.claim post.onboarding.complete
    post.onboarding.provider post.onboarding.systemAgents
  get.openai.model get.openai.models post.openai.complete post.openai.embed post.openai.respond
  get.openapi.show
  get.providerTypes.index
  delete.providers.destroy get.providers.index get.providers.show patch.providers.update
    post.providers.store post.providers.testEntered post.providers.testStored
  delete.session.destroy post.session.confirm post.session.store
  delete.sessions.revoke delete.sessions.revokeOthers get.sessions.index
  get.signIn.show
  delete.tasks.destroy get.tasks.index get.tasks.show patch.tasks.update post.tasks.claim
    post.tasks.store
  delete.tokens.destroy get.tokens.index post.tokens.store
`
  .trim()
  .split(/\s+/)
