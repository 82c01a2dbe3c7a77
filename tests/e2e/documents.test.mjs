// Documents through the public API: every kind of file, what is wrong with some, their text, and finding passages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { docx, paragraph, pdf, zip } from './files.mjs';
import { root, sleep, slow, startStack, unique, until } from './harness.mjs';

const data = (name) => fs.readFileSync(path.join(root, 'tests/data', name));
const missing = '01890a5d-ac96-774b-bcce-b302099a8057';
const fields = ['chatbots', 'chunks', 'createdAt', 'description', 'documentId', 'error', 'id', 'metadata', 'name', 'ownerId', 'pages',
  'progress', 'size', 'status', 'tags', 'type', 'updatedAt'];

describe('documents', () => {
  let stack, ada, eve, site;
  const api = (method, where, options = {}) => stack.api(method, `/api/documents${where}`, { token: ada.token, ...options });
  const ok = (method, where, options = {}) => stack.ok(method, `/api/documents${where}`, { token: ada.token, ...options });
  const upload = (name, content, options) => stack.upload(ada.token, name, content, options);
  const search = async (query, more = {}) => (await ok('POST', '/search', { json: { query, ...more }, status: 200 })).results;
  const addUrl = (json, query = '') => api('POST', `/url${query}`, { json });

  before(async () => {
    site = http.createServer(serve).listen(0, '127.0.0.1');
    await new Promise((resolve) => site.once('listening', resolve));
    site.asked = new Set();
    site.on('request', ({ url }) => site.asked.add(url));
    site.url = `http://127.0.0.1:${site.address().port}`;
    site.localhost = `http://localhost:${site.address().port}`;
    stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32,::1/128' } });
    [ada, eve] = [await stack.register(), await stack.register()];
  });
  after(async () => {
    site.close();
    await stack.stop();
  });

  // --- Text, tags, passages ---------------------------------------------------------------------------------------------

  const ready = (id) => until('ready', async () => (await ok('GET', `/${id}`)).status === 'ready');

  test('text becomes a document that is read and found like a file', async () => {
    const options = { json: { name: 'Hours', text: '# Opening\n\nThe planetarium opens at nine. Grüße', format: 'md' }, headers: { 'Idempotency-Key': 'hours' } };
    const doc = await ok('POST', '/text', { ...options, status: 201 });
    assert.deepEqual([doc.name, doc.type, doc.status, doc.size], ['Hours', 'md', 'ready', Buffer.byteLength(options.json.text)]);
    assert.equal((await ok('POST', '/text', { ...options, status: 201 })).id, doc.id);
    await ready(doc.id);
    assert.equal((await ok('GET', `/${doc.id}/text`)).text, options.json.text);
    assert.equal((await search('When does the planetarium open?'))[0].documentId, doc.id);
    for (const json of [{ name: 'x' }, { name: '', text: 'x' }, { name: 'x', text: '' }, { name: 'x', text: 'x', format: 'pdf' }])
      assert.equal((await api('POST', '/text', { json })).status, 422, JSON.stringify(json));
  });

  test('text longer than a piece of a file stays whole', async () => {
    const text = Array.from({ length: 12000 }, (_, i) => `Line ${i} says grüße to everybody.`).join('\n');
    const doc = await ok('POST', '/text', { json: { name: 'Long', text }, status: 201 });
    await ready(doc.id);
    assert.equal((await ok('GET', `/${doc.id}/text`)).text, text);
    assert.deepEqual((await ok('POST', '/delete', { json: { ids: [doc.id] } })).deleted, [doc.id]);
  });

  test('name, description and tags can be changed one by one, and a list narrowed to a tag', async () => {
    const { id } = await ok('POST', '/text', { json: { name: 'Old', text: 'x y z', description: 'd' }, status: 201 });
    const put = async (json) => {
      const { name, description, tags } = await ok('PUT', `/${id}`, { json });
      return [name, description, tags];
    };
    assert.deepEqual(await put({ tags: [' b"{,} ', 'a', 'a'] }), ['Old', 'd', ['b"{,}', 'a']]);
    assert.deepEqual(await put({ name: 'New' }), ['New', 'd', ['b"{,}', 'a']]);
    assert.deepEqual((await ok('GET', `?tag=${encodeURIComponent('b"{,}')}`)).map((d) => d.id), [id]);
    assert.deepEqual(await ok('GET', '?tag=nobody-has-it'), []);
    assert.deepEqual(await put({ tags: [], description: null }), ['New', '', []]);
    assert.deepEqual(await ok('GET', '?tag=a'), []);
    for (const json of [{ name: ' ' }, { tags: [''] }, { tags: ['x'.repeat(51)] }, { tags: Array(21).fill('x') }])
      assert.equal((await api('PUT', `/${id}`, { json })).status, 422, JSON.stringify(json).slice(0, 60));
  });

  test('the passages are the text they say they are, page by page', async () => {
    const { id } = await upload('n.txt', data('normans.txt'));
    const { text } = await ok('GET', `/${id}/text`);
    const characters = [...text];
    const all = await ok('GET', `/${id}/chunks`);
    assert.equal(all.length, (await ok('GET', `/${id}`)).chunks);
    for (const c of all) assert.equal(c.text, characters.slice(c.start, c.end).join(''));
    const first = await api('GET', `/${id}/chunks?limit=3`);
    assert.deepEqual(first.body, all.slice(0, 3));
    assert.match(first.headers.link, /rel="next"/);
    assert.deepEqual(await ok('GET', `/${id}/chunks?limit=3&cursor=${all[2].id}`), all.slice(3, 6));
    assert.equal((await api('GET', `/${missing}/chunks`)).status, 404);
    await ok('DELETE', `/${id}`);
  });

  test('a cursor into passages that were made anew is refused, not answered with an empty page', async () => {
    const { id } = await upload('n.txt', data('normans.txt'));
    const all = await ok('GET', `/${id}/chunks`);
    assert.deepEqual(await ok('GET', `/${id}/chunks?cursor=${all.at(-1).id}`), []);
    await ok('POST', `/${id}/reindex`);
    await ready(id);
    const { status, body } = await api('GET', `/${id}/chunks?cursor=${all[2].id}`);
    assert.equal(status, 422);
    assert.match(JSON.stringify(body), /earlier processing.*begin again/);
    await ok('DELETE', `/${id}`);
  });

  test('the same file twice is stored once, and stays while one of its documents does', async () => {
    const content = `Only once in the cellar. ${'x'.repeat(300000)}`;
    const [[before]] = await stack.sql('SELECT count(*) FROM documents.piece');
    const kept = async () => Number((await stack.sql('SELECT count(*) FROM documents.piece'))[0][0]) - Number(before);
    const one = await upload('one.txt', content), two = await upload('two.txt', content), hers = await stack.upload(eve.token, 'one.txt', content);
    assert.equal(await kept(), 4);
    await ok('DELETE', `/${one.id}`);
    assert.equal(await kept(), 4);
    await ok('POST', `/${two.id}/reindex`);
    await ready(two.id);
    assert.equal((await ok('GET', `/${two.id}/text`)).text, content);
    await ok('DELETE', `/${two.id}`);
    assert.equal(await kept(), 2);
    await ok('DELETE', `/${hers.id}`, { token: eve.token });
    assert.equal(await kept(), 0);
  });

  test('several are deleted at once; what is not there, or another\'s, is not among them', async () => {
    const make = async (token) => (await ok('POST', '/text', { token, json: { name: 'x', text: 'some words' }, status: 201 })).id;
    const [one, two, hers] = [await make(ada.token), await make(ada.token), await make(eve.token)];
    const { deleted } = await ok('POST', '/delete', { json: { ids: [two, hers, missing, one, two.toUpperCase()] } });
    assert.deepEqual(deleted.sort(), [one, two].sort());
    assert.equal((await api('GET', `/${one}`)).status, 404);
    await ok('DELETE', `/${hers}`, { token: eve.token });
    for (const ids of [undefined, ['x'], Array(101).fill(missing)]) assert.equal((await api('POST', '/delete', { json: { ids } })).status, 422);
  });

  // --- Kinds of files ---------------------------------------------------------------------------------------------------

  test('a small text can be searched when its upload is answered, and is kept once', async () => {
    const content = `The ${unique('quarry')} is closed in winter. ${'It is open in summer. '.repeat(300)}`, word = /quarry\S+/.exec(content)[0];
    const upload = (query) => ok('POST', `/upload${query}`, { form: { name: 'Quarry', file: { filename: 'q.txt', content } }, status: 201 });
    const one = await upload('?wait=0');
    assert.deepEqual([one.status, one.progress, one.step, one.message], ['ready', 1, undefined, 'The document is ready.']);
    assert.ok(one.chunks > 1, `${one.chunks}`);
    assert.equal((await search(`When is the ${word} closed?`))[0].documentId, one.id);
    const two = await upload('?wait=30');
    assert.equal(two.status, 'ready');
    const pieces = async () => (await stack.sql(`SELECT count(*) FROM documents.piece p JOIN documents.document d USING (owner_id, file_id) WHERE d.id IN ('${one.id}', '${two.id}')`))[0][0];
    assert.equal(await pieces(), '1');
    await ok('DELETE', `/${one.id}`, { status: 204 });
    assert.equal((await ok('GET', `/${two.id}/text`)).text, content.trimEnd());
    assert.equal((await search(`When is the ${word} closed?`))[0].documentId, two.id);
    assert.equal((await ok('POST', `/${two.id}/reindex`, { status: 200 })).status, 'pending');
    await ready(two.id); // from its file
    await ok('DELETE', `/${two.id}`, { status: 204 });
    assert.equal(await pieces(), '0');
  });

  test('an upload without wait answers pending, with every field, and becomes ready', async () => {
    const form = { name: 'Normans', description: 'an article', file: { filename: 'n.txt', content: data('normans.txt') } };
    const doc = await ok('POST', '/upload', { form, status: 201 });
    assert.deepEqual(Object.keys(doc).sort(), [...fields, 'message'].sort());
    assert.equal(doc.documentId, doc.id);
    assert.equal(doc.status, 'pending');
    assert.equal(doc.progress, 0);
    assert.equal(doc.ownerId, ada.uid);
    assert.equal(doc.size, data('normans.txt').length);
    const ready = await until('ready', async () => {
      const now = await ok('GET', `/${doc.id}`);
      return now.status === 'ready' && now;
    });
    assert.deepEqual(Object.keys(ready).sort(), fields);
    assert.equal(ready.name, 'Normans');
    assert.equal(ready.description, 'an article');
    assert.equal(ready.type, 'txt');
    assert.equal(ready.progress, 1);
    assert.equal(ready.error, null);
    assert.ok(ready.chunks > 20);
    const list = await ok('GET', '');
    assert.deepEqual(list.find((d) => d.id === doc.id), ready);
  });

  const docxPointing = (url) => {
    const target = (type) => `<Relationship Id="${type}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${url}" TargetMode="External"/>`;
    return zip({ '[Content_Types].xml': '<Types/>', 'word/_rels/document.xml.rels': `<Relationships>${target('image')}${target('attachedTemplate')}</Relationships>`,
      'word/document.xml': `<?xml version="1.0"?><?xml-stylesheet href="${url}"?><w:document xmlns:w="x" xmlns:xi="http://www.w3.org/2001/XInclude"><w:body>${paragraph('Only text.')}<xi:include href="${url}"/></w:body></w:document>` });
  };
  const kinds = [
    { name: 'text', file: 'notes.txt', content: 'The gizmo weighs 77 grams.', type: 'txt', says: 'The gizmo weighs 77 grams.' },
    { name: 'text in Windows-1252 with CRLF', file: 'a.txt', content: Buffer.from('Caf\xe9\r\nna\xefve', 'latin1'), type: 'txt', says: 'Café\nnaïve' },
    { name: 'text in UTF-16', file: 'a.txt', content: Buffer.from('\ufeffGrüße', 'utf16le'), type: 'txt', says: 'Grüße' },
    { name: 'text under a PDF\'s name', file: 'a.pdf', content: 'Just text.', type: 'txt', says: 'Just text.' },
    { name: 'Markdown', file: 'README.md', content: '# Guide\n\nRead *this*.', type: 'md', says: '# Guide\n\nRead *this*.' },
    { name: 'PDF', file: 'a.pdf', content: pdf('The widget weighs 12 grams.'), type: 'pdf', says: 'The widget weighs 12 grams.', pages: 1 },
    { name: 'PDF under a text\'s name', file: 'a.txt', content: pdf('Weights and measures.'), type: 'pdf', says: 'Weights and measures.', pages: 1 },
    { name: 'DOCX', file: 'a.docx', content: docx(paragraph('Chapter', 'Heading1') + paragraph('Five &amp; six.')), type: 'docx', says: '# Chapter\n\nFive & six.' },
    { name: 'HTML', file: 'a.html', type: 'html', says: '# Guide\n\nSeven years.\n\n- one\n- two',
      content: '<!doctype html><nav><a href=/>Home</a></nav><h1>Guide</h1><script>var x</script><p>Seven <b>years</b>.<ul><li>one<li>two</ul><footer>Imprint</footer>' },
    { name: 'XLSX', file: 'a.xlsx', type: 'xlsx', says: '# Prices\n\nArticle | Price | Since\nPipe | 4.2 | 2024-01-31',
      content: zip({ '[Content_Types].xml': '<a/>', 'xl/workbook.xml': '<workbook><sheets><sheet name="Prices"/></sheets></workbook>',
        'xl/styles.xml': '<s><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></s>',
        'xl/sharedStrings.xml': '<sst><si><t>Article</t></si><si><t>Pri</t><t>ce</t></si><si><t>Since</t></si></sst>',
        'xl/worksheets/sheet1.xml': '<w><sheetData><row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>' +
          '<row><c r="A2" t="inlineStr"><is><t>Pipe</t></is></c><c r="B2"><v>4.2</v></c><c r="C2" s="1"><v>45322</v></c></row></sheetData></w>' }) },
    { name: 'ODT', file: 'a.odt', type: 'odt', says: '# Chapter\n\nFive and six (a note).\n\na | b',
      content: zip({ mimetype: 'application/vnd.oasis.opendocument.text', 'content.xml': '<d xmlns:t="t"><t:h t:outline-level="1">Chapter</t:h>' +
        '<t:p>Five<t:s/>and six<t:note><t:note-citation>1</t:note-citation><t:p>a note</t:p></t:note>.</t:p>' +
        '<t:table><t:table-row><t:table-cell><t:p>a</t:p></t:table-cell><t:table-cell><t:p>b</t:p></t:table-cell></t:table-row></t:table></d>' }) },
    { name: 'EPUB', file: 'a.epub', type: 'epub', says: '# One\n\nFirst.\n\n# Two\n\nSecond.',
      content: zip({ mimetype: 'application/epub+zip', 'OPS/p.opf': '<package><metadata><title>Book</title></metadata><manifest>' +
        '<item id="b" href="two.xhtml"/><item id="a" href="one%20.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
      'OPS/two.xhtml': '<html><body><h1>Two</h1><p>Second.</p></body></html>', 'OPS/one .xhtml': '<html><body><h1>One</h1><p>First.</p></body></html>' }) },
    { name: 'JSON', file: 'a.json', content: '{"shop":"Corner","items":[{"name":"Pipe","price":4.5},{"name":"Bowl"}]}', type: 'json',
      says: 'shop: Corner\n\n## items\n\nname: Pipe\nprice: 4.5\n\nname: Bowl' },
    { name: 'XML in an older encoding', file: 'a.xml', type: 'xml', says: '## Bücher\n\nid: 7\nauthor: Böll',
      content: Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><list><title>B\xfccher</title><book id="7"><author>B\xf6ll</author></book></list>', 'latin1') },
    { name: 'subtitles', file: 'a.srt', content: '1\n00:00:01,000 --> 00:00:02,000\n<i>Good</i>\nmorning.\n\n2\n00:00:03,000 --> 00:00:04,000\nHello.\n',
      type: 'srt', says: '[00:00:01] Good morning. Hello.' },
    { name: 'a Word document that points into the network, without looking there', file: 'a.docx', type: 'docx', says: 'Only text.',
      content: () => docxPointing(`${site.url}/secret`) },
    { name: 'emoji, Chinese, Arabic', file: 'a.txt', content: '😀 汉字。 سلام', type: 'txt', says: '😀 汉字。 سلام' },
  ];
  for (const kind of kinds) {
    test(`reads ${kind.name}`, async () => {
      const doc = await upload(kind.file, typeof kind.content === 'function' ? kind.content() : kind.content);
      assert.equal(doc.status, 'ready', doc.error);
      assert.ok(!site.asked.has('/secret'));
      assert.equal(doc.type, kind.type);
      assert.equal(doc.pages, kind.pages ?? null);
      const text = await ok('GET', `/${doc.id}/text`);
      assert.equal(text.text, kind.says);
      assert.equal(text.id, doc.id);
      assert.equal(text.pages.length, kind.pages ?? 0);
    });
  }

  // Every size that the archive tells of what it holds is ten bytes.
  const lying = (bytes) => {
    for (const [mark, place] of [['PK\x03\x04', 22], ['PK\x01\x02', 24]])
      for (let at = bytes.indexOf(mark, 0, 'latin1'); at >= 0; at = bytes.indexOf(mark, at + 4, 'latin1')) bytes.writeUInt32LE(10, at + place);
    return bytes;
  };
  const bad = [
    { name: 'an empty file', file: 'a.txt', content: '', failed: /empty/ },
    { name: 'only blanks', file: 'a.txt', content: ' \n\t\n', failed: /no text/ },
    { name: 'a PDF that is not one', file: 'a.pdf', content: '%PDF-1.4\nnot at all', failed: /cannot be read as a PDF/ },
    { name: 'a truncated PDF', file: 'a.pdf', content: pdf('x').subarray(0, 60), failed: /cannot be read as a PDF/ },
    { name: 'an encrypted PDF', file: 'a.pdf', content: () => data('encrypted.pdf'), failed: /encrypted/ },
    { name: 'a PDF without text', file: 'a.pdf', content: pdf(null), failed: /only drawings/ },
    { name: 'a damaged DOCX', file: 'a.docx', content: docx('<w:p>'), failed: /cannot be read as a Word document/ },
    { name: 'a DOCX that unpacks to 200 MB', file: 'a.docx', content: () => docx(paragraph('a'.repeat(200_000_000))), failed: /too large once unpacked/ },
    { name: 'a DOCX with a document type', file: 'a.docx', failed: /cannot be read as a Word document/,
      content: zip({ '[Content_Types].xml': '<a/>', 'word/document.xml': '<!DOCTYPE l [<!ENTITY a "x">]><w:t xmlns:w="x">&a;</w:t>' }) },
    { name: 'XML that multiplies its entities', file: 'a.xml', failed: /declares entities of its own/,
      content: `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">${'bcdefghij'.replace(/./g, (c, i) => `<!ENTITY ${c} "${`&${'abcdefghi'[i]};`.repeat(10)}">`)}]><l>&j;</l>` },
    { name: 'XML that points into the machine', file: 'a.xml', failed: /declares entities of its own/,
      content: '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>' },
    { name: 'a DOCX whose archive lies about its sizes', file: 'a.docx', content: () => lying(docx(paragraph('a'.repeat(200_000_000)))), failed: /too large once unpacked|damaged/ },
    { name: 'a PDF of 10,000 pages', file: 'a.pdf', content: () => pdf('x', 10_000), failed: /more than 5000 pages/ },
    { name: 'an archive in an archive', file: 'a.docx', content: zip({ 'a.docx': docx(paragraph('inner')) }), status: 415 },
    { name: 'another zip', file: 'a.zip', content: zip({ 'a.txt': 'hello' }), status: 415 },
    { name: 'a picture of a kind that is not read', file: 'a.heic', content: Buffer.from('\0\0\0\x18ftypheic\0\0', 'latin1'), status: 415 },
    { name: 'a program named .txt', file: 'a.txt', content: Buffer.from('\x7fELF\x02\x01\x01\0\0', 'latin1'), status: 415 },
  ];
  for (const { name, file, content, failed, status } of bad) {
    test(`says what is wrong with ${name}`, async () => {
      const bytes = typeof content === 'function' ? content() : content;
      const answer = await api('POST', '/upload?wait=60', { form: { file: { filename: file, content: bytes } } });
      assert.equal(answer.status, status ?? 201, answer.text);
      if (status) return assert.match(answer.body.detail, /PDF, .*HTML/);
      assert.equal(answer.body.status, 'failed');
      assert.match(answer.body.error, failed);
      assert.equal(answer.body.message, answer.body.error);
      assert.equal((await api('GET', `/${answer.body.id}/text`)).status, 409);
      assert.deepEqual(await search('anything', { documentIds: [answer.body.id] }), []);
    });
  }

  test('a deeply nested page is bounded in time', async () => {
    const doc = await upload('deep.html', `<!doctype html>${'<div>'.repeat(100_000)}text`, { wait: 60 });
    assert.ok(['ready', 'failed'].includes(doc.status), doc.status);
  });

  test('a megabyte of tags that nobody closes, and one line of ten', async () => {
    const tags = await upload('open.html', `<!doctype html><p>Kept.${'<b><i><span class=x>'.repeat(50_000)}`, { wait: 60 });
    assert.equal(tags.status, 'ready', tags.error);
    const line = await upload('line.txt', 'endless '.repeat(1_250_000), { wait: 60 });
    assert.ok(['ready', 'processing', 'pending'].includes(line.status), line.error);
    await ok('DELETE', `/${line.id}`);
  });

  test('names: given, of the file, of nothing', async () => {
    const name = async (form) => (await ok('POST', '/upload', { form, status: 201 })).name;
    assert.equal(await name({ name: ' Mine ', file: { filename: 'a.txt', content: 'x' } }), 'Mine');
    assert.equal(await name({ file: { filename: '../../etc/passwd', content: 'x' } }), 'passwd');
    assert.equal(await name({ file: { filename: 'bill\u202Efdp.txt', content: 'x' } }), 'billfdp.txt');
    assert.equal(await name({ file: { filename: 'C:\\\\docs\\\\plan.txt', content: 'x' } }), 'plan.txt');
    assert.equal(await name({ file: { filename: `${'ö'.repeat(240)}.txt`, content: 'x' } }), 'ö'.repeat(200));
    assert.equal((await api('POST', '/upload', { form: { name: 'n'.repeat(201), file: { filename: 'a', content: 'x' } } })).status, 422);
  });

  // --- Passages ---------------------------------------------------------------------------------------------------------

  test('a question is answered from the right page of a real PDF, at exactly those characters', async () => {
    const doc = await upload('six.pdf', data('six-articles.pdf'));
    assert.equal(doc.status, 'ready', doc.error);
    assert.ok(doc.pages >= 50);
    const { text, pages } = await ok('GET', `/${doc.id}/text`);
    const characters = Array.from(text);
    assert.equal(pages.length, doc.pages);
    const asked = [
      ['Which group of Calvinist emigrants landed at the Cape of Good Hope in April 1652?', /Maria de la Queillerie/],
      ['What did OAPEC proclaim in October 1973?', /embargo/],
      ['Who commanded the British expedition to Fort Duquesne in 1755?', /Braddock/],
    ];
    for (const [query, wanted] of asked) {
      const found = await search(query, { documentIds: [doc.id], limit: 5 });
      assert.ok(found.some((source) => wanted.test(source.text)), `${query}\n${found.map((s) => s.text).join('\n--\n')}`);
      for (const source of found) {
        assert.deepEqual(Object.keys(source).sort(), ['chunkId', 'documentId', 'documentName', 'end', 'page', 'score', 'start', 'text']);
        assert.equal(characters.slice(source.start, source.end).join(''), source.text);
        assert.ok(Array.from(source.text).length <= 1200);
        assert.ok(source.score > 0 && source.score <= 1);
        const page = pages[source.page - 1];
        assert.ok(page.start < source.end && source.start < page.end, `page ${source.page} holds none of it`);
      }
      const scores = found.map((source) => source.score);
      assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
    }
    const part = await ok('GET', `/${doc.id}/text?start=100&end=150`);
    assert.equal(part.text, characters.slice(100, 150).join(''));
  });

  test('offsets count characters, not bytes', async () => {
    const filler = 'Über allen Gipfeln ist Ruh’ 😀. '.repeat(60);
    const doc = await upload('g.txt', `${filler}\n\nDer Schlüssel liegt unter der Fußmatte.\n\n${filler}`);
    const [source] = await search('Wo liegt der Schlüssel?', { documentIds: [doc.id] });
    assert.match(source.text, /Fußmatte/);
    const { text } = await ok('GET', `/${doc.id}/text`);
    assert.equal(Array.from(text).slice(source.start, source.end).join(''), source.text);
  });

  test('sources do not repeat each other', async () => {
    const doc = await upload('long.txt', Array.from({ length: 200 }, (_, i) => `The reactor has valve number ${i} on its left side.`).join(' '));
    const found = await search('reactor valve', { documentIds: [doc.id], limit: 20 });
    const ranges = found.map((s) => [s.start, s.end]).sort((a, b) => a[0] - b[0]);
    for (let i = 1; i < ranges.length; i++) assert.ok(ranges[i][0] >= ranges[i - 1][1], `${ranges[i - 1]} and ${ranges[i]}`);
  });

  test('searches only where asked', async () => {
    const one = await upload('one.txt', 'The zeppelin is kept in hall one.');
    const two = await upload('two.txt', 'The zeppelin is kept in hall two.');
    const ids = async (more) => (await search('Where is the zeppelin?', more)).map((s) => s.documentId).sort();
    assert.deepEqual(await ids({}), [one.id, two.id].sort());
    assert.deepEqual(await ids({ documentIds: [two.id] }), [two.id]);
    assert.deepEqual(await ids({ documentIds: [two.id.toUpperCase(), two.id] }), [two.id]);
    const bot = await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Hall', documents: [one.id] }, status: 201 });
    assert.deepEqual(await ids({ chatbotId: bot.id }), [one.id]);
    assert.deepEqual((await ok('GET', `/${one.id}`)).chatbots, [bot.id]);
    const empty = await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Empty' }, status: 201 });
    assert.deepEqual(await ids({ chatbotId: empty.id }), []);
    for (const json of [{ documentIds: [one.id, missing] }, { chatbotId: missing }, { chatbotId: bot.id, documentIds: [two.id] }])
      assert.equal((await api('POST', '/search', { json: { query: 'zeppelin', ...json } })).status, 404, JSON.stringify(json));
    assert.deepEqual(await search('qqqqq wwwww', { documentIds: [one.id] }), []);
  });

  test('bad searches', async () => {
    for (const json of [{}, { query: '' }, { query: '  ' }, { query: 'x'.repeat(4001) }, { query: 'x', limit: 0 }, { query: 'x', limit: 51 },
      { query: 'x', documentIds: ['no'] }, { query: 1 }])
      assert.equal((await api('POST', '/search', { json })).status, 422, JSON.stringify(json).slice(0, 80));
    for (const query of ['?!.,', '" OR 1=1 --', '\'); DROP TABLE document;', '汉', 'the of and', 'x '.repeat(1999), '%_\\'])
      assert.equal((await api('POST', '/search', { json: { query } })).status, 200, query);
  });

  // --- Life of a document -----------------------------------------------------------------------------------------------

  test('events tell status and progress to the end', async () => {
    const doc = await ok('POST', '/upload', { form: { file: { filename: 's.pdf', content: data('six-articles.pdf') } }, status: 201 });
    const events = await (await stack.stream('GET', `/api/documents/${doc.id}/events`, { token: ada.token })).all();
    assert.ok(events.length >= 1 && events.every((e) => e.event === 'status' && e.data.id === doc.id));
    assert.deepEqual(events.at(-1).data, { id: doc.id, status: 'ready', progress: 1, error: null });
    const progress = events.map((e) => e.data.progress);
    assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
    const again = await (await stack.stream('GET', `/api/documents/${doc.id}/events`, { token: ada.token })).all();
    assert.deepEqual(again.map((e) => e.data.status), ['ready']);
  });

  test('reindexing tells which chatbots use it, as reading does', async () => {
    const doc = await upload('used.txt', 'A gazebo stands in the garden.');
    const bot = await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Garden', documents: [doc.id] }, status: 201 });
    const { chatbots, message } = await ok('POST', `/${doc.id}/reindex`, { status: 200 });
    assert.deepEqual([chatbots, message], [[bot.id], undefined]);
  });

  test('reindexing keeps it searchable and gives the same', async () => {
    const doc = await upload('r.txt', 'The heliograph was invented by Mance.');
    const before_ = await search('heliograph', { documentIds: [doc.id] });
    assert.equal((await ok('POST', `/${doc.id}/reindex`, { status: 200 })).status, 'pending');
    assert.equal((await search('heliograph', { documentIds: [doc.id] })).length, 1);
    await until('ready again', async () => (await ok('GET', `/${doc.id}`)).status === 'ready');
    const after_ = await search('heliograph', { documentIds: [doc.id] });
    assert.deepEqual(after_.map((s) => s.text), before_.map((s) => s.text));
  });

  test('small documents that have become many are found as before', async () => {
    const docs = await Promise.all(['brass', 'silver', 'golden'].map((what) => upload(`${what}.txt`, `The ${what} astrolabe hangs in the ${what} hall.`)));
    const scope = { documentIds: docs.map((d) => d.id) };
    const find = async () => (await Promise.all(['Where is the silver astrolabe?', 'golden astrolabbe', 'astrolabe', 'astrolabbe'].map((q) => search(q, scope))))
      .map((found) => found.map((s) => [s.documentId, s.text, s.score]));
    const lists = async () => Number(await stack.sql(`SELECT count(DISTINCT document_id) FROM documents.posting WHERE document_id IN ('${scope.documentIds.join("','")}')`));
    const before_ = await find();
    assert.deepEqual([before_[2].length, before_[3].length], [3, 3]);
    assert.equal(await lists(), 0);
    await stack.sql(`UPDATE documents.corpus SET small = small + 1000 WHERE owner_id = '${ada.uid}'`); // as if there were so many
    await ok('POST', `/${docs[0].id}/reindex`, { status: 200 });
    await until('their words have rows of their own', async () => (await lists()) === 3);
    await ready(docs[0].id);
    assert.deepEqual(await find(), before_);
    await ok('POST', '/delete', { json: { ids: [docs[1].id] } });
    assert.equal(await lists(), 2);
    assert.deepEqual((await search('silver astrolabe')).filter((s) => s.documentId === docs[1].id), []);
  });

  test('deleting takes everything along, also while it is processed', async () => {
    const doc = await upload('d.txt', 'The ornithopter never flew.');
    const bot = await stack.ok('POST', '/api/chatbots', { token: ada.token, json: { name: 'Birds', documents: [doc.id] }, status: 201 });
    assert.equal((await api('DELETE', `/${doc.id}`)).status, 204);
    assert.equal((await api('DELETE', `/${doc.id}`)).status, 404);
    assert.deepEqual(await search('ornithopter'), []);
    assert.deepEqual((await stack.ok('GET', `/api/chatbots/${bot.id}`, { token: ada.token })).documents, []);
    const busy = await ok('POST', '/upload', { form: { file: { filename: 's.pdf', content: data('six-articles.pdf') } }, status: 201 });
    assert.equal((await api('DELETE', `/${busy.id}`)).status, 204);
    await sleep(500);
    for (const table of ['document', 'content', 'chunk', 'posting', 'embedding', 'piece']) {
      const key = { document: 'id', piece: 'file_id' }[table] ?? 'document_id';
      const [[left]] = await stack.sql(`SELECT count(*) FROM documents.${table} WHERE ${key} IN ('${doc.id}', '${busy.id}')`);
      assert.equal(left, '0', table);
    }
    const [[pieces]] = await stack.sql('SELECT count(*) FROM documents.piece p WHERE NOT EXISTS (SELECT FROM documents.document d WHERE d.owner_id = p.owner_id AND d.file_id = p.file_id)');
    assert.equal(pieces, '0');
  });

  test('nobody goes on reading a document that was deleted', async () => {
    const letters = Array.from({ length: 80_000 }, (_, i) => `1 0 0 1 ${(i * 7919) % 600} ${(i * 104729) % 800} Tm (a) Tj`).join(' ');
    const form = { file: { filename: 'slow.pdf', content: pdf(`x) Tj ${letters} (x`) } }; // a minute's work for pdftotext
    const doc = await ok('POST', '/upload', { form, status: 201 });
    const parent = stack.process('documents').pid;
    const readers = () => fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === parent);
    await until('it is being read', () => readers().length > 0);
    assert.equal((await api('DELETE', `/${doc.id}`)).status, 204);
    await until('its reader has ended', () => readers().length === 0, 5 * slow);
  });

  test('somebody else\'s document is not there', async () => {
    const doc = await upload('secret.txt', 'The password is swordfish.');
    const tries = [['GET', `/${doc.id}`], ['DELETE', `/${doc.id}`], ['POST', `/${doc.id}/reindex`], ['GET', `/${doc.id}/text`], ['GET', `/${doc.id}/events`]];
    for (const who of [eve.token])
      for (const [method, where] of tries) assert.equal((await api(method, where, { token: who })).status, 404, `${method} ${where}`);
    for (const [method, where] of tries) assert.equal((await stack.api(method, `/api/documents${where}`)).status, 401);
    assert.equal((await api('POST', '/search', { token: eve.token, json: { query: 'swordfish', documentIds: [doc.id] } })).status, 404);
    assert.deepEqual((await ok('POST', '/search', { token: eve.token, json: { query: 'password swordfish' } })).results, []);
    assert.deepEqual(await ok('GET', '', { token: eve.token }), []);
    for (const id of ['url', 'nonsense', '1', missing, `${doc.id}x`]) assert.equal((await api('GET', `/${id}`)).status, 404, id);
  });

  test('lists come newest first, page by page', async () => {
    const zoe = await stack.register();
    for (let i = 0; i < 5; i++) await stack.upload(zoe.token, `${i}.txt`, `Number ${i}.`);
    const names = [];
    for (let where = '/api/documents?limit=2'; where;) {
      const answer = await stack.api('GET', where, { token: zoe.token });
      assert.ok(answer.body.length <= 2);
      names.push(...answer.body.map((d) => d.name));
      where = /<([^>]*)>; rel="next"/.exec(answer.headers.link ?? '')?.[1].replace(/^https?:\/\/[^/]*/, '');
    }
    assert.deepEqual(names, ['4.txt', '3.txt', '2.txt', '1.txt', '0.txt']);
    const usage = (await stack.ok('GET', '/api/settings', { token: zoe.token })).usage;
    assert.equal(usage.documentsUploaded, 5);
    assert.equal(usage.storageUsed, 5 * 'Number 0.'.length);
  });

  // --- Pages ------------------------------------------------------------------------------------------------------------

  test('a page becomes a document: its main text, its title', async () => {
    const answer = await addUrl({ url: `${site.url}/article` });
    assert.equal(answer.status, 201, answer.text);
    const doc = answer.body;
    assert.equal(doc.status, 'ready');
    assert.equal(doc.type, 'url');
    assert.equal(doc.name, 'On Airships & Co');
    assert.equal(doc.description, '');
    assert.equal(doc.metadata.url, `${site.url}/article`);
    assert.equal(doc.metadata.title, 'On Airships & Co');
    assert.equal(doc.metadata.etag, '"v1"');
    assert.match(doc.metadata.contentType, /^text\/html/);
    assert.match(doc.metadata.fetchedAt, /^\d{4}-.*Z$/);
    const { text } = await ok('GET', `/${doc.id}/text`);
    assert.match(text, /^# Airships\n\nThe first airship flew in 1852\./);
    assert.doesNotMatch(text, /Home|Imprint|tracker/);
    assert.equal(doc.metadata.word_count, text.split(/\s+/).length);
    const [source] = await search('When did the first airship fly?', { documentIds: [doc.id] });
    assert.match(source.text, /1852/);
  });

  test('pages: names, redirects, charsets, text, PDF, later', async () => {
    assert.equal((await addUrl({ url: `${site.url}/article`, name: 'Mine', description: 'd' })).body.name, 'Mine');
    assert.equal((await addUrl({ url: `${site.url}/redirect` })).body.name, 'On Airships & Co');
    const latin = (await addUrl({ url: `${site.url}/latin` })).body;
    assert.match((await ok('GET', `/${latin.id}/text`)).text, /Zażółć/);
    assert.equal((await addUrl({ url: `${site.url}/plain` })).body.status, 'ready');
    assert.equal((await addUrl({ url: `${site.url}/pdf` })).body.pages, 1);
    const later = (await addUrl({ url: `${site.url}/article` }, '?wait=0')).body;
    assert.equal(later.status, 'pending');
    const ready = await until('fetched', async () => {
      const now = await ok('GET', `/${later.id}`);
      return now.status === 'ready' && now;
    });
    assert.equal(ready.name, 'On Airships & Co');
    assert.equal((await ok('POST', `/${ready.id}/reindex`)).status, 'pending');
    await until('fetched again', async () => (await ok('GET', `/${ready.id}`)).status === 'ready');
  });

  test('pages that cannot be had keep no document', async () => {
    const count = (await ok('GET', '')).length;
    const alarms = () => stack.processes.flatMap(({ log }) => fs.readFileSync(log, 'utf8').split('\n').filter((line) => line.includes('"level":"error"')));
    const before = alarms();
    const cases = [
      ['/missing', 502], ['/error', 502], ['/blank', 422], ['/image', 422], ['/endless', 502], ['/loop', 502],
    ];
    for (const [where, status] of cases) assert.equal((await addUrl({ url: site.url + where })).status, status, where);
    for (const url of ['ftp://example.com/x', 'file:///etc/passwd', 'nonsense', '', 'http://', 'javascript:alert(1)', 'http://10.1.2.3/', 'http://169.254.169.254/latest',
      'http://[::ffff:10.0.0.1]/', 'http://0x7f.1.1.1/', `${site.url}/to-private`])
      assert.ok([422, 502].includes((await addUrl({ url })).status), url);
    assert.equal((await addUrl({ url: 'http://192.168.0.1/' })).status, 422);
    assert.equal((await ok('GET', '')).length, count);
    assert.deepEqual(alarms().slice(before.length), [], 'what users get wrong wakes no operator');
  });

  test('the same Idempotency-Key uploads a file once', async () => {
    const headers = { 'Idempotency-Key': `u-${Date.now()}` };
    const upload = (content) => stack.api('POST', '/api/documents/upload?wait=30',
      { token: ada.token, headers, form: { file: { filename: 'once.txt', content } } });
    const first = await upload('The lamp is green.');
    assert.equal(first.status, 201, first.text);
    const again = await upload('The lamp is green.');
    assert.equal(again.status, 201, again.text);
    assert.deepEqual(again.body, first.body);
    assert.equal(again.body.status, 'ready', 'the answer, not what there was when it began to wait');
    const refused = await upload('The lamp is red now');
    assert.equal(refused.status, 422);
    const asked = () => stack.logLines(refused.headers['x-request-id']).filter(({ process }) => process.startsWith('documents'));
    await until('the line of the refusal', () => asked().length > 0);
    await sleep(100);
    assert.deepEqual(asked().map(({ method }) => method), ['documents.upload_document'], 'it is asked once');
    const list = await stack.ok('GET', '/api/documents', { token: ada.token });
    assert.equal(list.filter((d) => d.name === 'once.txt').length, 1);
  });

  test('the same Idempotency-Key adds a page once', async () => {
    const headers = { 'Idempotency-Key': `k-${Date.now()}` };
    const options = { json: { url: `${site.url}/article` }, headers };
    const first = await api('POST', '/url', options), second = await api('POST', '/url', options);
    assert.equal(first.status, 201);
    assert.equal(second.body.id, first.body.id);
  });
});

function parentOf(pid) {
  try {
    return Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
  } catch {
    return 0; // it has ended meanwhile
  }
}

function serve(request, response) {
  const html = (text, headers = {}) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(text);
  switch (request.url) {
    case '/article':
      return html(`<!doctype html><html><head><title> On Airships &amp; Co </title><style>p{}</style></head><body>
        <header><a href="/">Home</a></header><nav><ul><li><a href="/a">A</a></ul></nav>
        <main><h1>Airships</h1><p>The first airship flew in 1852. ${'It was slow and large and full of gas. '.repeat(10)}</p></main>
        <script>tracker()</script><footer>Imprint</footer></body></html>`, { ETag: '"v1"' });
    case '/redirect': return response.writeHead(302, { Location: '/article' }).end();
    case '/loop': return response.writeHead(302, { Location: '/loop' }).end();
    case '/to-private': return response.writeHead(302, { Location: 'http://10.1.2.3/' }).end();
    case '/latin':
      return response.writeHead(200, { 'Content-Type': 'text/html; charset=iso-8859-2' })
        .end(Buffer.concat([Buffer.from('<html><body><p>Za'), Buffer.from([0xbf, 0xf3, 0xb3, 0xe6]), Buffer.from(' means to turn yellow.')]));
    case '/plain': return response.writeHead(200, { 'Content-Type': 'text/plain' }).end('Plain words.');
    case '/pdf': return response.writeHead(200, { 'Content-Type': 'application/pdf' }).end(pdf('A page of a PDF.'));
    case '/blank': return html('<html><body><nav>menu</nav></body></html>');
    case '/image': return response.writeHead(200, { 'Content-Type': 'image/png' }).end(Buffer.from('\x89PNG\r\n\x1a\n\0\0', 'latin1'));
    case '/error': return response.writeHead(500).end('broken');
    case '/endless': {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      const more = () => { while (response.write('<p>' + 'x'.repeat(65536)) && !response.destroyed); };
      response.on('drain', more);
      return more();
    }
    default: return response.writeHead(404).end('no');
  }
}
