// Pictures and scans where nothing can read them: as without tesseract, or without the data of its languages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root, startStack, until } from './harness.mjs';

const read = (name) => fs.readFileSync(path.join(root, 'tests/data/cases', name));

describe('pictures without text recognition', () => {
  let stack, ada, site;

  before(async () => {
    site = http.createServer((_, response) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(read('scan-paragraph.png')));
    await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
    stack = await startStack({ env: { DOCUMENTS_OCR_LANGUAGES: 'nobody-speaks-it', EGRESS_ALLOW: '127.0.0.1/32' } });
    await until('it is known that nobody reads pictures', () => /text in pictures is not read/.test(stack.process('documents').tail(200)));
    ada = await stack.register();
  });
  after(async () => {
    site.close();
    await stack.stop();
  });

  const upload = (filename) =>
    stack.api('POST', '/api/documents/upload?wait=60', { token: ada.token, form: { file: { filename, content: read(filename) } } });

  test('a picture is refused with what is missing and what can be read', async () => {
    const { status, body } = await upload('scan-paragraph.png');
    assert.equal(status, 415);
    assert.match(body.detail, /^this is a picture, whose text can only be read by tesseract, which is not installed here\. What can be read: PDF, /);
    assert.doesNotMatch(body.detail, /pictures/);
  });

  test('so is the address of one', async () => {
    const url = `http://127.0.0.1:${site.address().port}/`;
    const { status, body } = await stack.api('POST', '/api/documents/url', { token: ada.token, json: { url } });
    assert.deepEqual([status, /tesseract, which is not installed/.test(body.detail)], [422, true], body.detail);
  });

  test('a PDF of pictures fails with a sentence that says so', async () => {
    const { body } = await upload('pdf-scan-only.pdf');
    assert.equal(body.status, 'failed');
    assert.match(body.error, /^The PDF has no text: its pages \(1\) hold only images\. .* That \(tesseract\) is not installed here\.$/);
  });

  test('a PDF with a scanned page between others is read without it', async () => {
    const { body } = await upload('pdf-scan-between-text.pdf');
    assert.deepEqual([body.status, body.pages], ['ready', 3], body.error);
  });
});
