import { inspect } from 'node:util'

type Answers<Input> = Record<string, (input: Input) => unknown>

/**
 * The other end of a `Child`: reports that this process is ready, answers named questions, and exits once the
 * parent is gone.
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
