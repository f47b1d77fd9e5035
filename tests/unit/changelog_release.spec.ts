import { test } from '@japa/runner'
import { released } from '../../bin/changelog_release.mjs'

const CHANGELOG = [
  '# Changelog',
  '',
  '## Unreleased',
  '',
  '- A fix',
  '',
  '## 0.1.0 - 2026-01-01',
  '',
  '- First',
  '',
].join('\n')

test.group('A release and the changelog', () => {
  test('dates what was unreleased and leaves an empty section above it', ({ assert }) => {
    const text = released(CHANGELOG, '0.2.0', '2026-02-03')

    assert.equal(
      text,
      CHANGELOG.replace('## Unreleased\n', '## Unreleased\n\n## 0.2.0 - 2026-02-03\n')
    )
  })

  test('refuses to release nothing', ({ assert }) => {
    const empty = CHANGELOG.replace('- A fix\n', '')

    assert.throws(() => released(empty, '0.2.0', '2026-02-03'), /lists no change/)
    assert.throws(() => released('# Changelog\n', '0.2.0', '2026-02-03'), /no section/)
  })
})
