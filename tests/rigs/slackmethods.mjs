// slackmethods.mjs: what Slack's Web API takes, as Slack's own library says in its types: { 'chat.update': { required: [['channel', 'ts'],
// …], known: [names] } } — `required` holds one list for each form that the arguments may have. Read once a version and kept, since
// TypeScript takes its time.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const home = path.dirname(require.resolve('@slack/web-api/package.json'));
const { version } = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'));

function read() {
  const ts = require('typescript');
  const file = path.join(home, 'dist/methods.d.ts');
  const program = ts.createProgram([file], { strict: true, skipLibCheck: true, moduleResolution: ts.ModuleResolutionKind.NodeJs, target: ts.ScriptTarget.ES2022, types: [] });
  const checker = program.getTypeChecker();
  const found = {};
  const argumentsOf = (type) => {
    const forms = type.isUnion() ? type.types : [type];
    const objects = forms.filter((form) => form.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection));
    const names = (form) => checker.getPropertiesOfType(form);
    return {
      required: objects.map((form) => names(form).filter((p) => !(p.flags & ts.SymbolFlags.Optional) && p.name !== 'token').map((p) => p.name)),
      known: [...new Set(objects.flatMap((form) => names(form).map((p) => p.name)))],
    };
  };
  const visit = (type, prefix) => {
    for (const property of checker.getPropertiesOfType(type)) {
      const name = prefix ? `${prefix}.${property.name}` : property.name;
      const declaration = property.valueDeclaration;
      if (!declaration || !ts.isPropertyDeclaration(declaration) && !ts.isPropertySignature(declaration)) continue;
      const inner = checker.getTypeOfSymbolAtLocation(property, declaration);
      const [call] = inner.getCallSignatures();
      if (!call) { visit(inner, name); continue; }
      const [options] = call.getParameters();
      found[name] = options ? argumentsOf(checker.getNonNullableType(checker.getTypeOfSymbolAtLocation(options, declaration))) : { required: [[]], known: [] };
    }
  };
  const source = program.getSourceFile(file);
  const methods = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find((s) => s.name === 'Methods');
  visit(checker.getDeclaredTypeOfSymbol(methods), '');
  return found;
}

const kept = fileURLToPath(new URL(`../../build/slack-methods-${version}.json`, import.meta.url));
export const methods = (() => {
  try { return JSON.parse(fs.readFileSync(kept, 'utf8')); } catch { /* not yet */ }
  const found = read();
  const fresh = `${kept}.${process.pid}`;
  fs.mkdirSync(path.dirname(kept), { recursive: true });
  fs.writeFileSync(fresh, JSON.stringify(found));
  fs.renameSync(fresh, kept);
  return found;
})();
