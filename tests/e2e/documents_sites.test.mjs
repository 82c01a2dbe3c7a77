// Whole sites as documents: what belongs to them, what robots.txt forbids, traps, rounds that find little new, kills.
import assert from 'node:assert/strict';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { after, before, beforeEach, describe, test } from 'node:test';
import { longer, sleep, slow, startStack, until } from './harness.mjs';

// A site as a table: path -> page, or a function of the request. What was asked for is in `asked`.
const site = { pages: {}, asked: [], open: 0, together: 0 };
async function serve(request, response) {
  site.asked.push(request.url);
  site.together = Math.max(site.together, ++site.open);
  const page = site.pages[request.url] ?? site.pages[request.url.split('?')[0]] ?? site.pages['*'];
  const { status = 200, headers = {}, body = '', wait } = (typeof page === 'function' ? page(request, response) : page) ?? { status: 404 };
  if (wait) await sleep(wait);
  site.open--;
  if (!response.headersSent && body !== null) response.writeHead(status, { 'Content-Type': 'text/html', ...headers }).end(body);
}
const page = (title, text, ...links) => ({
  body: `<!doctype html><title>${title}</title><h1>${title}</h1><p>${text}</p>${links.map((href) => `<a href="${href}">more</a>`).join(' ')}`,
});
const xml = (body) => ({ body: `<?xml version="1.0"?>${body}`, headers: { 'Content-Type': 'application/xml' } });

// Another site, where a model lives too: a text is as many as its letters. What it was asked for is in `embedded`.
const embedded = [];
async function elsewhere(request, response) {
  if (request.url !== '/v1/embeddings') return response.end('elsewhere');
  let body = '';
  for await (const piece of request) body += piece;
  const { input } = JSON.parse(body);
  embedded.push(...input);
  const vector = (text) => Array.from('abcdefgh', (letter) => 1 + text.split(letter).length);
  response.end(JSON.stringify({ data: input.map((text, index) => ({ index, embedding: vector(text) })) }));
}

describe('sites', () => {
  let stack, ada, eve, server, other;
  const ok = (method, where, options = {}) => stack.ok(method, `/api/documents${where}`, { token: ada.token, ...options });
  const add = (json, options = {}) => ok('POST', '/url', { json: { url: `${server.url}/`, crawl: {}, ...json }, status: 201, ...options });
  const end = (id) => until('the site is read', async () => {
    const doc = await ok('GET', `/${id}`);
    return ['ready', 'failed'].includes(doc.status) && doc;
  });
  const crawl = async (json) => end((await add(json)).id);
  const text = async (id) => (await ok('GET', `/${id}/text`)).text;
  const top = async (query, id) => (await ok('POST', '/search', { json: { query, documentIds: [id] }, status: 200 })).results[0];
  const round = async (id) => { // as if a day had passed
    const fetched = (await ok('GET', `/${id}`)).metadata.fetchedAt;
    await stack.sql(`UPDATE documents.site SET next_at = now() WHERE document_id = '${id}'`);
    await stack.sql(`UPDATE documents.job SET run_at = now() WHERE kind = 'rounds'`);
    await stack.sql("NOTIFY parley_job, 'rounds'");
    return until('the round is over', async () => {
      const doc = await ok('GET', `/${id}`);
      assert.equal(doc.status, 'ready', 'it stays ready meanwhile');
      return doc.metadata.fetchedAt !== fetched && doc;
    });
  };

  before(async () => {
    const listen = async (handler) => {
      const s = http.createServer(handler).listen(0, '127.0.0.1');
      await new Promise((resolve) => s.once('listening', resolve));
      s.url = `http://127.0.0.1:${s.address().port}`;
      return s;
    };
    server = await listen(serve);
    other = await listen(elsewhere);
    stack = await startStack({ env: { EGRESS_ALLOW: '127.0.0.1/32', DOCUMENTS_CRAWL_DELAY: '0', DOCUMENTS_PAGE_MAX: '1000000', EMBEDDING_PROVIDER: 'openai',
      EMBEDDING_BASE_URL: `${other.url}/v1`, EMBEDDING_API_KEY: 'x', EMBEDDING_MODEL: 'letters' } });
    [ada, eve] = [await stack.register(), await stack.register()];
  });
  beforeEach(() => Object.assign(site, { pages: {}, asked: [], together: 0 }));
  after(async () => {
    server.close();
    other.close();
    server.closeAllConnections();
    await stack.stop();
  });

  test('a site is one document whose pages are found and cited by their own addresses', async () => {
    site.pages = {
      '/': page('Home', 'Welcome to the arboretum.', '/hours', 'trees/oak?b=2#top', `${other.url}/away`, 'mailto:x@y.z', '/logo.png'),
      '/hours': page('Hours', 'The arboretum opens at nine.', '/', '/deep'),
      '/trees/oak': page('Oak', 'The oak was planted in 1820.', '../hours'),
      '/deep': page('Deep', 'Rare orchids.', '/deeper'),
      '/deeper': page('Deeper', 'Too far away.'),
    };
    const first = await add();
    assert.equal(first.status, 'processing');
    const doc = await end(first.id);
    assert.equal(doc.status, 'ready', doc.error);
    assert.deepEqual([doc.name, doc.type, doc.pages, doc.metadata.title, doc.metadata.pages], ['Home', 'url', 4, 'Home', 4]);
    const { text: all, pages } = await ok('GET', `/${doc.id}/text`);
    assert.match(all, /^# Home\n/);
    assert.equal(pages.length, 4);
    assert.match(all.slice(pages[1].start, pages[1].end), /^# Hours\n\nThe arboretum opens at nine\./);
    assert.doesNotMatch(all, /Too far away|elsewhere/);
    const source = await top('When was the oak planted?', doc.id);
    assert.equal(source.url, `${server.url}/trees/oak?b=2`);
    assert.equal(source.page, null);
    assert.equal(source.text, [...all].slice(source.start, source.end).join(''));
    assert.equal((await top('arboretum opens', doc.id)).url, `${server.url}/hours`);
    assert.equal(site.together, 1, 'one request at a time');
    assert.equal(new Set(site.asked).size, site.asked.length, `asked twice: ${site.asked}`);
    assert.equal((await stack.api('GET', `/api/documents/${doc.id}`, { token: eve.token })).status, 404);
    await ok('DELETE', `/${doc.id}`);
    assert.deepEqual(await stack.sql('SELECT count(*) FROM documents.part'), [['0']]);
  });

  test('robots.txt, sitemaps, feeds, include and exclude', async () => {
    site.pages = {
      '/robots.txt': { body: `User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /private\nAllow: /private/open\nSitemap: ${server.url}/maps.xml\n` },
      '/maps.xml': xml(`<sitemapindex><sitemap><loc>${server.url}/maps.xml</loc></sitemap><sitemap><loc>${server.url}/map.xml</loc></sitemap><sitemap><loc>${server.url}/more.xml.gz</loc></sitemap></sitemapindex>`),
      '/more.xml.gz': { body: gzipSync(`<?xml version="1.0"?><urlset><url><loc>${server.url}/deep</loc></url></urlset>`), headers: { 'Content-Type': 'application/x-gzip' } },
      '/deep': page('Deep', 'Only in the gzipped sitemap.'),
      '/map.xml': xml(`<urlset><url><loc>${server.url}/hidden</loc></url><url><loc>${server.url}/private/x</loc></url></urlset>`),
      '/': { body: '<!doctype html><title>Start</title><link rel="alternate" type="application/rss+xml" href="/feed"><p>Start here.</p><a href="/private/open">a</a><a href="/private/y">b</a><a href="/old/1">c</a>' },
      '/feed': xml(`<rss><channel><link>${server.url}/</link><item><title>x</title><link>${server.url}/news?id=1</link></item></channel></rss>`),
      '/hidden': page('Hidden', 'Only in the sitemap.'),
      '/news': page('News', 'Only in the feed.'),
      '/private/open': page('Open', 'Allowed after all.'),
      '/old/1': page('Old', 'Excluded.'),
    };
    const doc = await crawl({ crawl: { exclude: ['/old/'] } });
    assert.equal(doc.status, 'ready', doc.error);
    const all = await text(doc.id);
    for (const wanted of [/Start here/, /Only in the sitemap/, /Only in the gzipped sitemap/, /Only in the feed/, /Allowed after all/]) assert.match(all, wanted);
    assert.doesNotMatch(all, /Excluded/);
    assert.ok(!site.asked.some((url) => url.startsWith('/private/x') || url.startsWith('/private/y') || url.startsWith('/old')), `${site.asked}`);
    assert.equal(site.asked.filter((url) => url === '/maps.xml').length, 1, 'a sitemap of itself');
    const some = await crawl({ crawl: { include: ['/news*', '/$'], sitemap: false } });
    assert.deepEqual([some.pages, /Only in the feed/.test(await text(some.id))], [1, false], 'the feed is not included, so its news is not known');
  });

  test('a trap ends: an endless calendar, a path that grows, the same page under many addresses', async () => {
    site.pages = {
      '/': page('Trap', 'The door.', '/calendar?month=1', '/a/a', '/same?s=1', '/real'),
      '/calendar': ({ url }) => page(`Month ${url.split('=')[1]}`, `Nothing on ${url}.`, `/calendar?month=${Number(url.split('=')[1]) + 1}`),
      '/real': page('Real', 'What one came for.'),
      '*': ({ url }) => (url.startsWith('/same') ? page('Same', 'The same.', `${url}1`, `${url}2`) : url.startsWith('/a') ? page('Path', `At ${url}.`, `${url}/a`, `${url}/b`) : null),
    };
    const doc = await crawl({ crawl: { depth: 10, maxPages: 25 } });
    assert.equal(doc.status, 'ready', doc.error);
    assert.ok(doc.pages <= 25 && site.asked.length <= 110, `${doc.pages} pages by ${site.asked.length} requests`);
    const all = await text(doc.id);
    assert.match(all, /What one came for/);
    assert.equal(all.split('The same.').length, 2);
    assert.ok(!site.asked.some((url) => url.includes('/a/a/a/a')), 'round in circles');
  });

  test('what cannot be read is said of the page, and is no reason to give up the others', async () => {
    site.pages = {
      '/': page('Home', 'Fine.', '/500', '/gone', '/picture', '/huge', '/liar', '/out', '/endless'),
      '/500': { status: 500 },
      '/picture': { body: Buffer.from('\0\0\0\x18ftypheic\0\0', 'latin1'), headers: { 'Content-Type': 'image/heic' } },
      '/huge': { body: 'x '.repeat(2_000_000), headers: { 'Content-Type': 'text/plain' } },
      '/liar': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 5000 });
        response.write('only this');
        setTimeout(() => response.destroy(), 100);
        return { body: null };
      },
      '/out': { status: 302, headers: { Location: 'http://169.254.169.254/latest/meta-data' } },
      '/endless': (request, response) => {
        const timer = setInterval(() => response.write('and so on '.repeat(10000)), 5);
        response.on('close', () => clearInterval(timer));
        return { body: null };
      },
    };
    const doc = await crawl();
    assert.deepEqual([doc.status, doc.pages], ['ready', 1], doc.error);
    const said = Object.fromEntries([...doc.metadata.problems, ...doc.metadata.gone].map(({ url, problem }) => [new URL(url).pathname, problem]));
    assert.match(said['/500'], /answered 500/);
    assert.match(said['/gone'], /answered 404/);
    assert.match(said['/picture'], /an image/);
    assert.match(said['/huge'], /too large/);
    assert.match(said['/endless'], /too large/);
    assert.ok(said['/liar'], 'cut off');
    assert.match(said['/out'], /not allowed|private|refused|address/i);
  });

  test('a site that nobody may read, or that has nothing, says why', async () => {
    site.pages = { '/robots.txt': { body: 'User-agent: Parley\nDisallow: /\n\nUser-agent: *\nAllow: /\n' }, '/': page('Home', 'No.') };
    let doc = await crawl();
    assert.deepEqual([doc.status, doc.error], ['failed', 'The site\'s robots.txt does not allow reading this address.']);
    site.pages = { '/': { status: 410 } };
    doc = await crawl();
    assert.equal(doc.status, 'failed');
    assert.match(doc.error, /No page of the site could be read: http.*answered 410/);
    doc = await crawl({ url: 'http://10.0.0.1/' });
    assert.equal(doc.status, 'failed');
    assert.match(doc.error, /10\.0\.0\.1|not allowed/);
    for (const json of [{ crawl: { depth: 11 } }, { crawl: { maxPages: 0 } }, { crawl: { include: [''] } }, { crawl: 'all' }, { refresh: 'hourly' }, { url: 'ftp://x.y' }])
      assert.equal((await stack.api('POST', '/api/documents/url', { token: ada.token, json: { url: `${server.url}/`, ...json } })).status, 422, JSON.stringify(json));
  });

  test('a robots.txt of 100 MB is read as far as it needs to be', async () => {
    let sent = 0;
    site.pages = {
      '/robots.txt': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 100_000_000 });
        response.write('User-agent: *\nDisallow: /no\n');
        const more = () => {
          while (!response.destroyed && sent < 100_000_000) {
            sent += 65536;
            if (!response.write('# '.repeat(32768))) return response.once('drain', more);
          }
        };
        more();
        return { body: null };
      },
      '/': page('Home', 'Yes.', '/no', '/yes'), '/no': page('No', 'Forbidden.'), '/yes': page('Yes', 'Allowed.'),
    };
    const doc = await crawl();
    assert.deepEqual([doc.status, doc.pages], ['ready', 2], doc.error);
    assert.ok(sent < 20_000_000, `${sent} bytes were sent`);
    assert.ok(!site.asked.includes('/no'));
  });

  test('a round asks by ETag, keeps what is unchanged, says what has gone, and lets it go the next time', async () => {
    const etag = (request, tag, answer) => (request.headers['if-none-match'] === tag ? { status: 304 } : { ...answer, headers: { ETag: tag } });
    site.pages = {
      '/': (request) => etag(request, '"1"', page('Home', 'The museum of clocks.', '/a', '/b')),
      '/a': page('A', 'A sundial.'), '/b': page('B', 'An hourglass.'),
    };
    const { id } = await crawl({ refresh: 'daily' });
    const vectors = () => until('vectors follow', async () => !(await ok('GET', `/${id}`)).step);
    await vectors();
    embedded.length = 0;
    const state = async () => (await stack.sql(`SELECT generation, chunks FROM documents.document WHERE id = '${id}'`))[0];
    const before_ = await state();
    site.asked = [];
    await round(id);
    assert.deepEqual(site.asked.filter((url) => !/robots|sitemap/.test(url)), ['/', '/a', '/b']);
    assert.deepEqual(await state(), before_, 'nothing was stored anew');
    site.pages['/a'] = page('A', 'A cuckoo clock.');
    delete site.pages['/b'];
    let doc = await round(id);
    assert.match(await text(id), /cuckoo clock[^]*hourglass/);
    await vectors();
    assert.deepEqual(embedded.filter((text) => !/dimensions/.test(text)).map((text) => /cuckoo/.test(text)), [true], 'only what is new was embedded');
    assert.deepEqual(await stack.sql(`SELECT count(*), (SELECT count(*) FROM documents.chunk WHERE document_id = '${id}') FROM documents.embedding WHERE document_id = '${id}'`), [['3', '3']]);
    assert.deepEqual(doc.metadata.gone, [{ url: `${server.url}/b`, problem: 'the page answered 404' }]);
    doc = await round(id);
    assert.doesNotMatch(await text(id), /hourglass/);
    site.pages = { '/robots.txt': { status: 404 }, '*': { status: 503 } };
    doc = await round(id);
    assert.match(doc.metadata.problems[0].problem, /answered 503/);
    assert.match(await text(id), /cuckoo clock/, 'an outage takes nothing');
  });

  test('a page alone is read again, too', async () => {
    site.pages = { '/one': page('One', 'The price is 5.') };
    const doc = await ok('POST', '/url', { json: { url: `${server.url}/one`, refresh: 'weekly' }, status: 201 });
    assert.deepEqual([doc.status, doc.pages], ['ready', null]);
    site.pages['/one'] = page('One', 'The price is 7.');
    await round(doc.id);
    assert.equal(await text(doc.id), '# One\n\nThe price is 7.');
    assert.equal((await top('What is the price?', doc.id)).url, `${server.url}/one`);
    assert.deepEqual(site.asked, ['/one', '/one'], 'robots.txt is for crawlers');
    const long = `${other.url}/`.padEnd(199, 'a');
    const named = await ok('POST', '/url?wait=0', { json: { url: `${long}äö`, refresh: 'daily' }, status: 201 });
    assert.equal(named.name, `${long}ä`, 'its address is cut between characters');
  });

  test('a feed alone, and a page that sends its readers on, are read again like they were read first', async () => {
    const feed = (news) => xml(`<rss><channel><title>Harbour</title><item><title>${news}</title></item></channel></rss>`);
    site.pages = { '/feed': feed('The ferry sails at six'), '/door': { body: '<!doctype html><meta http-equiv="refresh" content="0; url=/hall"><p>You are sent on.</p>' }, '/hall': page('Hall', 'The hall seats 90.') };
    const add = (where) => ok('POST', '/url', { json: { url: `${server.url}${where}`, refresh: 'daily' }, status: 201 });
    const [harbour, hall] = [await add('/feed'), await add('/door')];
    assert.match(await text(harbour.id), /sails at six/);
    assert.equal(await text(hall.id), '# Hall\n\nThe hall seats 90.');
    Object.assign(site.pages, { '/feed': feed('The ferry sails at seven'), '/hall': page('Hall', 'The hall seats 120.') });
    for (const { id } of [harbour, hall]) await round(id);
    assert.match(await text(harbour.id), /sails at seven/);
    assert.equal(await text(hall.id), '# Hall\n\nThe hall seats 120.');
  });

  test('reindexing reads the site again', async () => {
    site.pages = { '/': page('Home', 'Before.') };
    const { id } = await crawl();
    site.pages = { '/': page('Home', 'Afterwards.', '/new'), '/new': page('New', 'A new page.') };
    await ok('POST', `/${id}/reindex`);
    const doc = await end(id);
    assert.equal(doc.pages, 2);
    assert.match(await text(id), /Afterwards[^]*A new page/);
  });

  test('deleted in the middle, nobody asks on', async () => {
    site.pages = { '*': ({ url }) => ({ ...page(url, `Page ${url}.`, ...Array.from({ length: 20 }, (_, i) => `${url.replace(/\/$/, '')}/${i}`)), wait: 50 }) };
    const { id } = await add({ crawl: { depth: 5, maxPages: 500 } });
    await until('it is under way', () => site.asked.length > 5);
    assert.equal((await ok('GET', `/${id}`)).step, 'fetch');
    await ok('DELETE', `/${id}`);
    await until('nobody asks on', async () => {
      const { length } = site.asked;
      await sleep(600 * longer);
      return site.asked.length === length;
    }, 3 * slow);
    assert.ok(site.asked.length < 400, `${site.asked.length} pages of 500`);
    assert.deepEqual(await stack.sql(`SELECT count(*) FROM documents.job WHERE kind = 'ingest' AND failed IS NULL`), [['0']]);
  });

  test('killed in the middle, the crawl goes on where it was', async () => {
    site.pages = { '*': ({ url }) => (/^\/(\d+)?$/.test(url) ? { ...page(`Page ${url}`, `This is number ${url}.`, ...(url === '/' ? Array.from({ length: 30 }, (_, i) => `/${i}`) : [])), wait: 30 } : null) };
    const { id } = await add();
    await until('it is under way', () => site.asked.length > 10);
    await stack.process('documents').kill('SIGKILL');
    await stack.process('documents').start();
    await stack.sql(`UPDATE documents.job SET lease_until = now() WHERE lease_until IS NOT NULL`);
    const doc = await until('the site is read', async () => {
      const { status, body } = await stack.api('GET', `/api/documents/${id}`, { token: ada.token });
      return status === 200 && body.status === 'ready' && body;
    }, 120);
    assert.equal(doc.pages, 31);
    const again = site.asked.filter((url, i) => site.asked.indexOf(url) < i && !/robots|sitemap/.test(url));
    assert.ok(again.length <= 2, `asked again: ${again}`);
  });
});
