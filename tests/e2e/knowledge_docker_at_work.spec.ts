import { ContainerHome } from '#tests/e2e/container_home'
import { knowledgeAtHome } from '#tests/e2e/knowledge_at_home'
import { testEngine } from '#tests/engine/engine'

const engine = testEngine()
if (engine) {
  const home = new ContainerHome(engine)
  const place = {
    env: home.env,
    settings: { 'runtime.driver': 'docker', 'runtime.image': engine.openclawImage },
    close: () => home.close(),
  }
  knowledgeAtHome('What an agent in a container knows, with the real OpenClaw', place)
}
