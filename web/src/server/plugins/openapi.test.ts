import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: a JSON document
let document: any;

beforeAll(async () => {
  web = await createTestApp();
  document = (await web.ask('GET', 'openapi.json', {})).body;
});
afterAll(() => web.stop());

it('describes the API in valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

it('says of each operation what it is for, what it answers, and what right it needs', () => {
  for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, object>>))
    for (const [method, operation] of Object.entries(methods)) {
      const what = `${method} ${path}`;
      expect([what, operation]).toEqual([what, expect.objectContaining({ summary: expect.any(String) })]);
      expect([what, Object.keys((operation as { responses: object }).responses)]).toEqual([
        what,
        expect.arrayContaining(['default']),
      ]);
    }
});

it('is the API that docs/openapi.json tells users of', async () => {
  // `vitest -u` writes it anew: the change is then seen in review.
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../../../docs/openapi.json');
});
