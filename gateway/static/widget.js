// The chat widget of a website: <script src="https://parley.example/widget.js" data-chatbot="ID" async></script>.
// Also: data-lang (else the page's), data-visitor and data-signature (who the visitor is, signed by the site's server).
//
// Everything stands in a closed room (Shadow DOM), is built element by element, and is styled by a constructed sheet:
// a page's Content-Security-Policy needs script-src and connect-src with our origin, nothing else; no Trusted Types policy
// is asked for. What the model writes only ever becomes text, or one of the few elements of markdown() below.
(() => {
  'use strict';
  const script = document.currentScript;
  const bot = script?.dataset.chatbot;
  if (!bot || !/^[0-9a-f-]{36}$/i.test(bot) || document.querySelector(`parley-chat[data-chatbot="${bot}"]`)) return;
  const base = new URL(script.src).origin;
  const route = `${base}/api/chat/widget/${bot}`;

  // --- Texts ----------------------------------------------------------------------------------------------------------

  const texts = {
    en: {
      open: 'Open the chat', close: 'Close the chat', title: 'Chat', ask: 'Write a message', send: 'Send', again: 'New conversation',
      you: 'You', bot: 'Answer', sources: 'Sources', page: 'page', writing: 'Writing an answer …', powered: 'Powered by Parley',
      stop: 'Stop', stopped: 'Stopped.', cut: 'The answer was cut off here.', up: 'Helpful', down: 'Not helpful', source: 'Source',
      busy: 'Too many messages. Please try again in {n} s.', failed: 'That did not work. Please try again.',
      offline: 'No connection. Please try again.', forbidden: 'This chat is not available here.', long: 'This message is too long.',
      hand: 'Would you like a person to get back to you? Where can we write to you?', email: 'E-mail address', handed: 'A person has been told and will get back to you.',
    },
    de: {
      open: 'Chat öffnen', close: 'Chat schließen', title: 'Chat', ask: 'Nachricht schreiben', send: 'Senden', again: 'Neues Gespräch',
      you: 'Sie', bot: 'Antwort', sources: 'Quellen', page: 'Seite', writing: 'Die Antwort wird geschrieben …', powered: 'Mit Parley',
      stop: 'Anhalten', stopped: 'Angehalten.', cut: 'Die Antwort wurde hier abgeschnitten.', up: 'Hilfreich', down: 'Nicht hilfreich', source: 'Quelle',
      busy: 'Zu viele Nachrichten. Bitte in {n} s noch einmal.', failed: 'Das ging nicht. Bitte noch einmal versuchen.',
      offline: 'Keine Verbindung. Bitte noch einmal versuchen.', forbidden: 'Dieser Chat ist hier nicht verfügbar.', long: 'Diese Nachricht ist zu lang.',
      hand: 'Soll sich ein Mensch bei Ihnen melden? Wohin dürfen wir schreiben?', email: 'E-Mail-Adresse', handed: 'Ein Mensch weiß Bescheid und meldet sich bei Ihnen.',
    },
    ar: {
      open: 'فتح المحادثة', close: 'إغلاق المحادثة', title: 'محادثة', ask: 'اكتب رسالة', send: 'إرسال', again: 'محادثة جديدة',
      you: 'أنت', bot: 'الجواب', sources: 'المصادر', page: 'صفحة', writing: 'تُكتب الإجابة …', powered: 'بواسطة Parley',
      stop: 'إيقاف', stopped: 'أُوقفت.', cut: 'قُطعت الإجابة هنا.', up: 'مفيد', down: 'غير مفيد', source: 'المصدر',
      busy: 'رسائل كثيرة. حاول مجددًا بعد {n} ث.', failed: 'لم ينجح ذلك. حاول مرة أخرى.',
      offline: 'لا يوجد اتصال. حاول مرة أخرى.', forbidden: 'هذه المحادثة غير متاحة هنا.', long: 'هذه الرسالة طويلة جدًا.',
      hand: 'هل تريد أن يتواصل معك شخص؟ إلى أين يمكننا الكتابة إليك؟', email: 'البريد الإلكتروني', handed: 'أُبلغ شخص بالأمر وسيتواصل معك.',
    },
  };
  const lang = (script.dataset.lang || document.documentElement.lang || navigator.language || 'en').toLowerCase();
  const t = texts[lang.split('-')[0]] ?? texts.en;
  const shownLang = t === texts.en ? 'en' : lang.split('-')[0];
  const rtl = shownLang === 'ar';

  // --- Building -------------------------------------------------------------------------------------------------------

  // el('a', { href }, child, 'text'): attributes that are undefined stay away; on…: listeners.
  const el = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
      else if (value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const icon = (d) => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', d);
    svg.append(path);
    return svg;
  };
  const icons = {
    chat: 'M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z',
    close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
    send: 'M3 20.5v-7l9-1.5-9-1.5v-7L22 12z',
    again: 'M12 5V1L7 6l5 5V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z',
    stop: 'M6 6h12v12H6z',
    up: 'M2 21h4V9H2zm20-11a2 2 0 0 0-2-2h-6l1-5v-.3a1.5 1.5 0 0 0-.4-1L13.5 1 7 7.6A2 2 0 0 0 6.4 9v10a2 2 0 0 0 2 2H17a2 2 0 0 0 1.8-1.2l3-7c.1-.3.2-.5.2-.8z',
    down: 'M22 3h-4v12h4zM2 14a2 2 0 0 0 2 2h6l-1 5v.3c0 .4.2.8.4 1l1.1 1.1 6.5-6.6a2 2 0 0 0 .6-1.4V5a2 2 0 0 0-2-2H7a2 2 0 0 0-1.8 1.2l-3 7c-.1.3-.2.5-.2.8z',
  };

  // --- Markdown -------------------------------------------------------------------------------------------------------

  const safeLink = (address) => {
    try {
      const url = new URL(address);
      return /^https?:$/.test(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  };
  const span = /`([^`\n]+)`|\*\*([^\n]+?)\*\*|\*([^*\s][^*\n]*)\*|\[([^\][\n]+)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"'()]+[^\s<>"'().,:;!?])|\[(\d{1,3})\]/;

  // The pieces of a line: code, bold, italic, links and citations (cite makes an element of a number, or nothing), the
  // rest as text.
  const inline = (into, line, cite, depth = 0) => {
    let m;
    while (depth < 4 && (m = span.exec(line))) {
      into.append(line.slice(0, m.index));
      const [whole, code, bold, italic, label, address, bare, number] = m;
      const link = safeLink(address ?? bare ?? '');
      if (code) into.append(el('code', {}, code));
      else if (bold) into.append(inline(el('strong'), bold, cite, depth + 1));
      else if (italic) into.append(inline(el('em'), italic, cite, depth + 1));
      else if (number) into.append(cite?.(Number(number)) ?? whole);
      else if (link) into.append(el('a', { href: link, target: '_blank', rel: 'noopener noreferrer nofollow' }, label ?? bare));
      else into.append(whole);
      line = line.slice(m.index + whole.length);
    }
    into.append(line);
    return into;
  };

  const markdown = (text, cite) => {
    const out = document.createDocumentFragment();
    const lines = text.split(/\r?\n/);
    const taken = (pattern) => {
      const got = [];
      for (let m; lines.length && (m = pattern.exec(lines[0])); lines.shift()) got.push(m[1]);
      return got;
    };
    while (lines.length) {
      const line = lines[0];
      if (/^\s*```/.test(line)) {
        lines.shift();
        const code = [];
        while (lines.length && !/^\s*```/.test(lines[0])) code.push(lines.shift());
        lines.shift();
        out.append(el('pre', { dir: 'ltr', tabindex: '0' }, el('code', {}, code.join('\n'))));
      } else if (/^\s*[-*+] +\S/.test(line)) {
        out.append(el('ul', {}, ...taken(/^\s*[-*+] +(.*)/).map((item) => inline(el('li', { dir: 'auto' }), item, cite))));
      } else if (/^\s*\d{1,9}[.)] +\S/.test(line)) {
        const start = /\d+/.exec(line)[0];
        out.append(el('ol', { start }, ...taken(/^\s*\d{1,9}[.)] +(.*)/).map((item) => inline(el('li', { dir: 'auto' }), item, cite))));
      } else if (/^>/.test(line)) {
        out.append(inline(el('blockquote', { dir: 'auto' }), taken(/^> ?(.*)/).join(' '), cite));
      } else if (/^#{1,6} +\S/.test(line)) {
        out.append(el('p', {}, inline(el('strong'), lines.shift().replace(/^#+ +/, ''), cite)));
      } else if (!line.trim()) {
        lines.shift();
      } else {
        const p = el('p', { dir: 'auto' });
        inline(p, lines.shift(), cite);
        while (lines.length && lines[0].trim() && !/^\s*(```|[-*+] +\S|\d{1,9}[.)] +\S|>|#{1,6} )/.test(lines[0])) {
          p.append(el('br'));
          inline(p, lines.shift(), cite);
        }
        out.append(p);
      }
    }
    return out;
  };

  // --- What is remembered -----------------------------------------------------------------------------------------------

  // { sessionId, who }: who: the visitor, as the site names him. Storage may be forbidden.
  const { visitor, signature } = script.dataset;
  let who;
  try {
    const told = JSON.parse(visitor ?? '{}');
    who = told.email ?? told.name;
  } catch {
    // the server says that it is none
  }
  const key = `parley-chat:${bot}`;
  let state = {};
  const remember = (change) => {
    state = { ...state, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch {
      // then it is forgotten with the page
    }
  };
  try {
    const stored = JSON.parse(localStorage.getItem(key));
    if (typeof stored?.sessionId === 'string' && stored.who === who) state = stored;
  } catch {
    // nothing is remembered
  }

  // --- The server -------------------------------------------------------------------------------------------------------

  class Refused extends Error {
    constructor(answer) {
      super(`status ${answer.status}`);
      this.status = answer.status;
      this.wait = Number(answer.headers.get('Retry-After')) || 30;
    }
  }
  const call = async (address, options = {}) => {
    const answer = await fetch(address, { credentials: 'omit', referrerPolicy: 'strict-origin-when-cross-origin', ...options });
    if (!answer.ok) throw new Refused(answer);
    return answer;
  };
  const tell = (method, address, value) =>
    call(address, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

  const sentence = (error) => {
    if (!(error instanceof Refused)) return t.offline;
    if (error.status === 429) return t.busy.replace('{n}', error.wait);
    return { 403: t.forbidden, 413: t.long, 422: t.long }[error.status] ?? t.failed;
  };

  // The events of an answer, as they come.
  async function* events(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = {};
        for (const line of block.split('\n')) {
          const at = line.indexOf(':');
          if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, '');
        }
        if (fields.data) yield { id: fields.id, name: fields.event, data: JSON.parse(fields.data) };
      }
    }
  }

  // --- The look -----------------------------------------------------------------------------------------------------------

  const css = `
:host { all: initial; color-scheme: light dark; --main: #2563eb; --on: #fff; --soft: #f3f4f6; --bg: #fff; --fg: #1f2937; --dim: #5b6472; --line: #d9dde3; --link: #1d4ed8 }
* { box-sizing: border-box }
button, textarea, input { font: inherit; color: inherit }
button { cursor: pointer; border: 0; background: none; padding: 0 }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
svg { width: 24px; height: 24px; fill: currentColor; display: block }
.launch, .box { position: fixed; z-index: 2147483000; bottom: 20px; right: 20px; font: 15px/1.5 system-ui, sans-serif }
.left .launch, .left .box { right: auto; left: 20px }
.launch { width: 56px; height: 56px; border-radius: 50%; background: var(--main); color: var(--on); display: grid; place-items: center; box-shadow: 0 4px 16px #0004 }
.launch svg { width: 28px; height: 28px }
[hidden] { display: none !important }
.box { width: 384px; height: min(640px, calc(100vh - 40px)); display: flex; flex-direction: column; background: var(--bg); color: var(--fg); border: 1px solid var(--line); border-radius: 16px; overflow: hidden; box-shadow: 0 12px 40px #0004; animation: up .2s ease-out }
@keyframes up { from { opacity: 0; transform: translateY(12px) } }
header { display: flex; align-items: center; gap: 4px; padding: 8px 8px 8px 16px; background: var(--main); color: var(--on) }
[dir=rtl] header { padding: 8px 16px 8px 8px }
h2 { flex: 1; margin: 0; font-size: 16px; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
header button { width: 40px; height: 40px; display: grid; place-items: center; border-radius: 8px }
header button :is(svg) { width: 20px; height: 20px }
header :focus-visible { outline-color: currentColor; outline-offset: -3px }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; gap: 12px }
.msg { position: relative; max-width: 88%; padding: 8px 12px; border-radius: 14px; overflow-wrap: anywhere; align-self: flex-start; background: var(--soft); color: var(--on-soft, inherit) }
.msg.user { align-self: flex-end; background: var(--main); color: var(--on); white-space: pre-wrap }
.msg.error { background: none; border: 1px solid #dc2626; color: inherit }
.msg :is(p, ul, ol, pre, blockquote) { margin: 0 0 8px }
.msg > :last-child, .text > :last-child { margin-bottom: 0 }
.msg :is(ul, ol) { padding-inline-start: 22px }
.msg a { color: inherit; text-decoration: underline }
code { font: 13px/1.4 ui-monospace, monospace; background: #8882; border-radius: 4px; padding: 1px 4px }
pre { overflow-x: auto; background: #8882; border-radius: 8px; padding: 8px 10px }
pre code { background: none; padding: 0 }
blockquote { border-inline-start: 3px solid var(--dim); padding-inline-start: 10px }
.name { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.dots { display: inline-flex; gap: 4px; padding: 6px 0 }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: currentColor; opacity: .6; animation: dot 1s infinite alternate }
.dots i:nth-child(2) { animation-delay: .3s } .dots i:nth-child(3) { animation-delay: .6s }
@keyframes dot { to { opacity: .15 } }
.sources { margin-top: 8px; font-size: 13px }
.sources > b { display: block; font-weight: 600 }
summary { cursor: pointer; padding: 3px 0 }
details blockquote { margin: 2px 0 6px; white-space: pre-wrap; max-height: 160px; overflow-y: auto }
.cite { font-size: .86em; text-decoration: underline; padding: 0 1px; border-radius: 4px }
.foot { display: flex; align-items: center; gap: 2px; margin-top: 4px; font-size: 13px }
.foot span { flex: 1 }
.foot button { width: 32px; height: 32px; border-radius: 8px; display: grid; place-items: center; opacity: .65 }
.foot button:hover, .foot [aria-pressed=true] { opacity: 1 }
.foot [aria-pressed=true] { background: #8883 }
.foot svg { width: 17px; height: 17px }
.asks { display: flex; flex-wrap: wrap; gap: 8px }
.asks button { border: 1px solid var(--line); border-radius: 16px; padding: 6px 12px; text-align: start; background: var(--bg) }
.asks button:hover { border-color: currentColor }
form { display: flex; gap: 8px; padding: 10px 12px; border-top: 1px solid var(--line); align-items: flex-end }
textarea { flex: 1; min-width: 0; resize: none; height: 42px; max-height: 120px; padding: 9px 12px; border: 1px solid var(--dim); border-radius: 12px; background: var(--bg); font-size: 16px; line-height: 22px }
textarea::placeholder { color: var(--dim); opacity: 1 }
form button { width: 42px; height: 42px; border-radius: 12px; background: var(--main); color: var(--on); display: grid; place-items: center }
form button:disabled { opacity: .5; cursor: default }
[dir=rtl] form svg { transform: scaleX(-1) }
.hand { padding: 10px 12px; border: 1px solid var(--line); border-radius: 14px; flex-wrap: wrap; align-items: center }
.hand label { flex: 1 0 100% }
.hand input { flex: 1; min-width: 0; height: 42px; padding: 0 12px; border: 1px solid var(--dim); border-radius: 12px; background: var(--bg); font-size: 16px }
.hand input::placeholder { color: var(--dim); opacity: 1 }
footer { padding: 0 12px 8px; font-size: 12px; text-align: center; color: var(--dim) }
@media (prefers-color-scheme: dark) { :host { --bg: #17191e; --fg: #e8eaed; --dim: #a3abb8; --line: #3a3f48; --link: #93b4ff } .msg:not(.user) { background: #272b33; color: var(--fg) } }
@media (max-width: 480px) { .box { inset: 0 !important; width: 100%; height: 100%; height: 100dvh; border: 0; border-radius: 0 } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important } }
`;

  // Black or white, whichever is read better on it. null when it is no colour.
  const colour = (value) => {
    if (typeof value !== 'string' || !CSS.supports('color', value) || /var\(|url\(|currentcolor|inherit|initial|unset|revert|transparent/i.test(value)) return null;
    const probe = document.createElement('canvas').getContext('2d');
    let on = '#fff';
    if (probe) {
      probe.fillStyle = value;
      probe.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...probe.getImageData(0, 0, 1, 1).data].map((c) => (c /= 255) && (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      if (0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18) on = '#111';
    }
    return { value, on };
  };

  // --- The widget ---------------------------------------------------------------------------------------------------------

  const start = async () => {
    const config = await (await call(`${base}/api/chatbots/widget-config/${bot}`)).json();
    const { appearance = {}, welcomeMessage, suggestedQuestions } = config.settings ?? {};
    const look = appearance ?? {};
    const host = el('parley-chat', { 'data-chatbot': bot });
    const room = host.attachShadow({ mode: script.dataset.mode === 'open' ? 'open' : 'closed' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    room.adoptedStyleSheets = [sheet];
    const main = colour(look.primaryColor), soft = colour(look.secondaryColor);
    for (const [found, name, on] of [[main, '--main', '--on'], [soft, '--soft', '--on-soft']]) {
      if (!found) continue;
      sheet.cssRules[0].style.setProperty(name, found.value);
      sheet.cssRules[0].style.setProperty(on, found.on);
    }

    const title = look.chatTitle || config.name || t.title;
    const launch = el('button', { class: 'launch', type: 'button', 'aria-label': t.open, 'aria-haspopup': 'dialog', 'aria-expanded': 'false', onclick: () => open() }, icon(icons.chat));
    const log = el('div', { class: 'log', role: 'log', 'aria-live': 'polite', tabindex: '0', 'aria-label': title });
    const input = el('textarea', { rows: '1', maxlength: '4000', 'aria-label': t.ask, placeholder: t.ask, enterkeyhint: 'send' });
    const go = el('button', { type: 'submit' });
    const form = el('form', {}, input, go);
    const box = el('section', { class: 'box', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'title', hidden: '' },
      el('header', {}, el('h2', { id: 'title' }, title),
        el('button', { type: 'button', 'aria-label': t.again, title: t.again, onclick: () => anew() }, icon(icons.again)),
        el('button', { type: 'button', 'aria-label': t.close, title: t.close, onclick: () => close() }, icon(icons.close))),
      log, form);
    if (look.showBranding !== false) box.append(el('footer', {}, t.powered));
    room.append(el('div', { class: look.position === 'bottom-left' ? 'left' : 'right', dir: rtl ? 'rtl' : 'ltr', lang: shownLang }, launch, box));
    document.body.append(host);

    let busy = false, loaded = false, run = 0; // run: counts conversations, what belongs to an older one is dropped
    let writing = null; // the answer that is being written, which can be stopped
    const ready = () => {
      const stops = busy && writing;
      go.replaceChildren(icon(stops ? icons.stop : icons.send));
      go.setAttribute('aria-label', stops ? t.stop : t.send);
      go.disabled = !stops && (busy || !input.value.trim());
      input.dir = input.value ? 'auto' : rtl ? 'rtl' : 'ltr'; // empty, it is the placeholder's
    };
    const follow = (force) => {
      if (force || log.scrollHeight - log.scrollTop - log.clientHeight < 120) log.scrollTop = log.scrollHeight;
    };
    const bubble = (kind, ...children) => {
      const made = el('div', { class: `msg ${kind}`, dir: 'auto' }, ...children);
      log.append(made);
      follow(true);
      return made;
    };
    const named = (name) => el('span', { class: 'name' }, `${name}: `);
    const own = (said) => el('div', { dir: 'auto' }, said); // by its own letters, not by those of the name before it
    const fail = (error) => bubble('error', sentence(error));

    // What stands under an answer: how it ended, and thumbs.
    const foot = (m) => {
      const values = ['up', 'down'];
      const show = () => thumbs.forEach((b, i) => b.setAttribute('aria-pressed', String(m.feedback === values[i])));
      const thumbs = values.map((value) => el('button', {
        type: 'button', 'aria-label': t[value], title: t[value],
        async onclick() {
          const before = m.feedback;
          m.feedback = before === value ? null : value;
          show();
          try {
            await tell('PUT', `${route}/message/${m.id}/feedback`, { sessionId: state.sessionId, value: m.feedback });
          } catch {
            m.feedback = before;
            show();
          }
        },
      }, icon(icons[value])));
      show();
      const ended = m.status === 'stopped' ? t.stopped : m.finishReason === 'length' ? t.cut : '';
      return el('div', { class: 'foot' }, ...(ended ? [el('span', {}, ended)] : []), ...thumbs);
    };

    // One answer: what it says so far, then its sources. While it grows the reader is told at its end only.
    const answerBubble = () => {
      const text = el('div', { class: 'text' }, el('span', { class: 'dots', role: 'img', 'aria-label': t.writing }, el('i'), el('i'), el('i')));
      const made = bubble('bot', named(t.bot), text);
      let said = '', due = false, over = false;
      // The k-th source is what [k] means.
      const finish = (m = {}) => {
        const list = (m.sources ?? []).map((s, i) =>
          el('details', {}, el('summary', {}, `[${i + 1}] ${s.documentName}${s.page ? `, ${t.page} ${s.page}` : ''}`), el('blockquote', { dir: 'auto' }, s.text)));
        const cite = (n) => list[n - 1] && el('button', {
          type: 'button', class: 'cite', 'aria-label': `[${n}] ${t.source}: ${m.sources[n - 1].documentName}`,
          onclick() {
            list[n - 1].open = true;
            list[n - 1].firstChild.focus();
          },
        }, `[${n}]`);
        over = true;
        said = m.content ?? said;
        if (!said && m.status !== 'stopped') return made.remove();
        text.replaceChildren(markdown(said, cite));
        if (list.length) made.append(el('div', { class: 'sources' }, el('b', {}, t.sources), ...list));
        if (m.id) made.append(foot(m));
        made.removeAttribute('aria-busy');
        follow();
      };
      return {
        add(piece) {
          said += piece;
          made.setAttribute('aria-busy', 'true');
          if (due) return;
          due = true;
          setTimeout(() => {
            due = false;
            if (over) return;
            text.replaceChildren(markdown(said));
            follow();
          }, 40);
        },
        finish,
        remove: () => made.remove(),
      };
    };

    // Nobody was helped: a person takes over, who must know where to write to. Asked once at a time; said when it is done.
    const handed = () => bubble('bot', named(t.bot), el('div', { class: 'text' }, t.handed));
    const hand = (what) => {
      log.querySelector('.hand')?.remove();
      if (what === 'given') return handed();
      if (what !== 'wanted') return;
      const mine = run, id = state.sessionId;
      const address = el('input', { id: 'hand', type: 'email', required: '', maxlength: '254', autocomplete: 'email', placeholder: t.email, oninput: () => (address.dir = address.value ? 'ltr' : '') });
      const send = el('button', { type: 'submit', 'aria-label': t.send }, icon(icons.send));
      const made = el('form', {
        class: 'hand',
        async onsubmit(event) {
          event.preventDefault();
          send.disabled = true;
          try {
            await tell('POST', `${route}/session/${encodeURIComponent(id)}/handover`, { email: address.value });
            if (mine !== run) return;
            made.remove();
            handed();
            input.focus();
          } catch (error) {
            send.disabled = false;
            if (mine !== run) return;
            if (error.status === 422) address.focus();
            else fail(error);
          }
        },
      }, el('label', { for: 'hand' }, t.hand), address, send);
      log.append(made);
      follow(true);
    };

    const greet = () => {
      const hello = look.initialMessage || welcomeMessage;
      if (hello) bubble('bot', named(t.bot), el('div', { class: 'text' }, markdown(hello)));
      if (suggestedQuestions?.length)
        log.append(el('div', { class: 'asks' }, ...suggestedQuestions.map((q) => el('button', { type: 'button', dir: 'auto', onclick: () => ask(q) }, q))));
    };

    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const fetchRest = (after) =>
      call(`${route}/message/stream?sessionId=${encodeURIComponent(state.sessionId)}${after ? `&lastEventId=${encodeURIComponent(after)}` : ''}`);

    // Reads an answer to its end. When the connection breaks it is taken up after the last event that came, a few times;
    // when nothing follows, what is stored is shown instead: once.
    const read = async (first, mine, again) => {
      const shown = answerBubble();
      let answer = first, cursor;
      for (let tries = 0; tries < 5; tries++) {
        try {
          answer = await answer;
          if (answer.status === 204) break;
          for await (const { id, name, data } of events(answer)) {
            if (mine !== run) return;
            cursor = id ?? cursor;
            if (name === 'delta') shown.add(data.text), (tries = 0);
            else if (name === 'message' && data.role === 'assistant') (writing = data.id), ready();
            else if (name === 'done') return shown.finish(data.message), hand(data.message.handover);
            else if (name === 'error') return shown.finish(), bubble('error', t.failed);
          }
        } catch (error) {
          if (error instanceof Refused) {
            shown.finish();
            throw error;
          }
        }
        if (mine !== run) return;
        if (!cursor) break;
        await pause(500 * (tries + 1));
        if (mine !== run) return;
        answer = fetchRest(cursor);
        answer.catch(() => {}); // it is looked at above
      }
      if (again) {
        shown.finish();
        throw new TypeError('nothing follows');
      }
      shown.remove();
      return restore(mine, true);
    };

    const newSession = async (mine) => {
      let made;
      try {
        made = await tell('POST', `${route}/session`, { visitor, signature });
      } catch (error) {
        if (!visitor || ![403, 422].includes(error.status)) throw error;
        console.warn('parley: data-visitor is not signed rightly; the visitor stays unnamed');
        made = await tell('POST', `${route}/session`, {});
      }
      const { sessionId } = await made.json();
      if (mine !== run) throw new Error('another conversation has begun');
      remember({ sessionId, who });
    };

    const ask = async (question) => {
      if (busy || !question.trim()) return;
      const mine = run;
      busy = true;
      ready();
      log.querySelector('.asks')?.remove();
      bubble('user', named(t.you), own(question));
      try {
        const say = () => tell('POST', `${route}/message/stream`, { sessionId: state.sessionId, message: question });
        if (!state.sessionId) await newSession(mine);
        let answer;
        try {
          answer = await say();
        } catch (error) {
          if (error.status !== 404) throw error; // the session has run out: a new one
          await newSession(mine);
          answer = await say();
        }
        await read(answer, mine);
      } catch (error) {
        if (mine === run) {
          fail(error);
          if (!input.value) input.value = question;
        }
      }
      rest(mine);
    };
    const rest = (mine) => {
      if (mine !== run) return;
      busy = false;
      writing = null;
      ready();
    };
    const stop = () => {
      const id = writing;
      writing = null;
      ready();
      tell('POST', `${route}/message/${id}/stop`, { sessionId: state.sessionId }).catch(() => {}); // then it ends by itself
    };

    // What was said before; an answer that is being written is followed from its start.
    const restore = async (mine, again) => {
      const underWay = (m) => /^(generating|queued|waiting)$/.test(m?.status);
      try {
        const { messages, handover } = await (await call(`${route}/session/${encodeURIComponent(state.sessionId)}`)).json();
        if (mine !== run) return;
        log.replaceChildren();
        greet();
        if (messages.length) log.querySelector('.asks')?.remove();
        for (const m of messages) {
          if (m.role === 'user') bubble('user', named(t.you), own(m.content));
          else if (!underWay(m)) answerBubble().finish(m);
          if (m.status === 'failed') bubble('error', t.failed);
        }
        if (underWay(messages.at(-1))) await read(fetchRest(), mine, again);
        else if (handover === 'wanted') hand(handover);
      } catch (error) {
        if (mine !== run) return;
        if (error.status !== 404) return fail(error);
        remember({ sessionId: undefined });
        log.replaceChildren();
        greet();
      }
    };

    const anew = () => {
      rest(++run);
      remember({ sessionId: undefined });
      log.replaceChildren();
      greet();
      input.focus();
    };

    const open = async () => {
      box.hidden = false;
      launch.hidden = true;
      launch.setAttribute('aria-expanded', 'true');
      input.focus();
      if (loaded) return follow(true);
      loaded = true;
      if (!state.sessionId) return greet();
      busy = true;
      const mine = run;
      await restore(mine);
      rest(mine);
    };
    const close = () => {
      box.hidden = true;
      launch.hidden = false;
      launch.setAttribute('aria-expanded', 'false');
      launch.focus();
    };

    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const question = input.value;
      if (busy && writing) return stop();
      if (busy || !question.trim()) return;
      input.value = '';
      ask(question);
    });
    input.addEventListener('input', ready);
    ready();
    box.addEventListener('keydown', (event) => {
      event.stopPropagation(); // the page's own keys are not meant
      if (event.key === 'Escape') return close();
      if (event.key === 'Enter' && event.target === input && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        if (!busy) form.requestSubmit();
      }
      if (event.key !== 'Tab') return;
      const stops = [...box.querySelectorAll('button:not(:disabled), textarea, input, a[href], summary, [tabindex="0"]')];
      const edge = event.shiftKey ? stops[0] : stops.at(-1);
      if (room.activeElement !== edge) return;
      event.preventDefault();
      (event.shiftKey ? stops.at(-1) : stops[0]).focus();
    });
  };

  const begin = () => start().catch(() => {}); // a page goes on without it
  if (document.body) begin();
  else addEventListener('DOMContentLoaded', begin);
})();
