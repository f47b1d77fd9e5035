import { ContainerHome } from '#tests/e2e/container_home'
import { workAtHome } from '#tests/e2e/work_at_home'
import { testEngine, type Engine } from '#tests/engine/engine'

const engine = testEngine()
if (engine) workOn(engine)

function workOn(given: Engine): void {
  const home = new ContainerHome(given)

  workAtHome('An agent at work in a container, with the real OpenClaw', {
    env: home.env,
    settings: { 'runtime.driver': 'docker', 'runtime.image': given.openclawImage },
    async running(_mosaic, command) {
      const agents = await home.agents()
      return agents.flatMap(({ Id }) =>
        given
          .processesOf(Id)
          .filter((pid) => read(pid, 'cmdline').replaceAll('\0', ' ').trim() === command)
          .map((pid) => `${Id} ${/^NSpid:.*\s(\d+)$/m.exec(read(pid, 'status'))?.[1]}`)
      )
    },
    async kill(process) {
      const [container, pid] = process.split(' ')
      const Cmd = ['kill', '-KILL', pid]
      const exec = await given.docker.getContainer(container).exec({ Cmd, AttachStdout: true })
      for await (const _ of await exec.start({})) continue
    },
    async token(_mosaic, name) {
      return home.tokenOf(await given.docker.getContainer(name).inspect())
    },
    suspend: async (_mosaic, name) => given.docker.getContainer(name).pause(),
    ...(given.isPrivate && {
      async restartEngine() {
        await given.kill()
        await given.start()
      },
    }),
    close: () => home.close(),
  })

  /** Returns an empty string if the process has ended. */
  function read(pid: number, file: string): string {
    try {
      return given.readProcess(pid, file)
    } catch {
      return ''
    }
  }
}
