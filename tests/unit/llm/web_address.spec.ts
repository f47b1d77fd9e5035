import { test } from '@japa/runner'
import { faultOfAddress } from '#llm/web_address'

test.group('An address of the web', () => {
  test('is refused for what is wrong with it: {typed}')
    .with([
      { typed: 'api.example.org/v1', fault: /must begin with http/ },
      { typed: 'ftp://example.org', fault: /must begin with http/ },
      { typed: 'http:example.org', fault: /must begin with http/ },
      { typed: 'javascript://x', fault: /must begin with http/ },
      { typed: 'http://example.org:99999/v1', fault: /port .* 99999, must be .* 65535/ },
      { typed: 'https://example.org:abc', fault: /port .* abc, must be a number/ },
      { typed: 'https://[::1]:70000/v1', fault: /port .* 70000/ },
      { typed: 'http://me:pass@example.org:99999', fault: /port .* 99999/ },
      { typed: 'http://example.org:0', fault: /port 0/ },
      { typed: 'http:///v1', fault: /names no server/ },
      { typed: 'http://:8080', fault: /names no server/ },
      { typed: 'http://exa mple.org', fault: /no spaces/ },
      { typed: 'http://[::1', fault: /name of the server/ },
      { typed: 'http://256.256.256.256', fault: /name of the server/ },
    ])
    .run(({ assert }, { typed, fault }) => assert.match(String(faultOfAddress(typed)), fault))

  test('passes: {$self}')
    .with([
      'http://127.0.0.1:11434',
      'https://api.example.org/v1',
      'HTTPS://API.EXAMPLE.ORG:443/',
      'http://[::1]:8080/v1',
      'https://bücher.example/v1',
      'http://host:/v1',
      'http://localhost',
    ])
    .run(({ assert }, typed) => assert.isNull(faultOfAddress(typed)))
})
