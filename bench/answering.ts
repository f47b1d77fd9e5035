import { inspect } from 'node:util'

type Answers<Input> = Record<string, (input: Input) => unknown>

/**
 * The other end of a `Child`: says that this process is ready, answers what it is asked by name, and ends
 * when nobody is there to ask any more.
 */
export function answerQuestions<Input>(answers: Answers<Input>, ready: object): void {
  process.on('message', async (asked: { id: number; question: string; input: Input }) => {
    const { id, question, input } = asked
    try {
      process.send!({ id, answer: await answers[question](input) })
    } catch (error) {
      process.send!({ id, failure: inspect(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  process.send!({ ready })
}
