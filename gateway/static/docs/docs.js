// Swagger UI on our own description. The token entered under "Authorize" stays in this browser.
//
// What it does not do as published: read JSON as JSON (it takes it for YAML), follow references within one document without
// parsing all of it again, filter by more than the name of a group, and say to screen readers what its parts are.

const following = (document, value, within = []) => { // value with what it refers to in its place; a circle stays a reference
  if (Array.isArray(value)) return value.map((one) => following(document, one, within));
  if (!value || typeof value !== 'object') return value;
  const to = value.$ref;
  if (typeof to === 'string' && to.startsWith('#/')) {
    if (within.includes(to)) return value;
    const meant = to.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
    return { ...following(document, meant, [...within, to]), $$ref: to };
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, following(document, one, within)]));
};

let described = null; // openapi.json
const quick = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        parseToJson: (_, { specActions }) => (text) => specActions.updateJsonSpec(described = JSON.parse(text)),
        requestResolvedSubtree: (_, { specActions, specSelectors }) => (where) => {
          const at = where.reduce((value, key) => value?.[key], described);
          if (at && !specSelectors.specResolvedSubtree(where)) specActions.updateResolvedSubtree(where, following(described, at));
        },
      },
    },
    layout: { // groups are closed, and made when they are opened; what a filter leaves is open
      wrapSelectors: { isShown: (own, { layoutSelectors }) => (_, thing, ...rest) =>
        (thing[0] === 'operations-tag' && typeof layoutSelectors.currentFilter() === 'string') || own(thing, ...rest) },
    },
  },
  fn: {
    opsFilter: (groups, words) => {
      const holds = (text) => words.toLowerCase().trim().split(/\s+/).every((word) => text.toLowerCase().includes(word));
      const fits = (name) => (one) => holds([name, one.get('method'), one.get('path'), one.getIn(['operation', 'summary']) ?? ''].join(' '));
      return groups.map((group, name) => group.update('operations', (list) => list.filter(fits(name)))).filter((group) => group.get('operations').size);
    },
  },
});

const accessible = ({ React }) => {
  const element = React.createElement;
  return {
    components: {
      FilterContainer: ({ layoutSelectors, layoutActions }) => {
        const filter = layoutSelectors.currentFilter();
        return element('div', { className: 'filter wrapper', role: 'search' }, element('input', {
          className: 'operation-filter-input', type: 'search', placeholder: 'Filter: upload, post stream …', 'aria-label': 'Filter operations',
          value: typeof filter === 'string' ? filter : '', onChange: ({ target }) => layoutActions.updateFilter(target.value || true),
        }));
      },
      // a link within the button that opens the operation; the address follows the button, too
      DeepLink: ({ text, children }) => element('span', null, text ?? children),
    },
    wrapComponents: {
      operations: (Own) => (props) => element(React.Fragment, null, element('h2', { className: 'unseen' }, 'Operations'), element(Own, props)),
      InfoContainer: (Own) => (props) => element('section', { 'aria-label': 'About' }, element(Own, props)),
      Input: (Own) => (props) => element(Own, props.type === 'file' ? { 'aria-label': 'File', ...props } : props),
      TextArea: (Own) => (props) => element(Own, { 'aria-label': 'Request body', ...props }),
    },
  };
};

const dark = matchMedia('(prefers-color-scheme: dark)');
const dress = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', dress);
dress();

const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  plugins: [quick, accessible],
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
  onComplete: () => location.hash || ui.layoutActions.show(['operations-tag', described.tags?.[0]?.name ?? ''], true),
});
