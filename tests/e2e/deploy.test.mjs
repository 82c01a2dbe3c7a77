// What operators are given (manifests, compose file, alerts, dashboard) is what its readers take, and says of our programs what
// the programs say of themselves.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { root, variant } from './harness.mjs';

const folder = path.join(root, 'common/docker/kubernetes');
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
const kustomization = parse(read('kustomization.yaml'));
const objects = kustomization.resources.flatMap((name) => parseAllDocuments(read(name)).map((doc) => ({ name, ...doc.toJS() })));
const workloads = objects.filter(({ kind }) => ['Deployment', 'Job'].includes(kind));
const container = (object) => object.spec.template.spec.containers[0];
const help = (name) => {
  const { status, stdout, stderr } = spawnSync(path.join(root, 'build', variant, name), ['--help'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
};
const settings = (name) => new Set([...help(name).matchAll(/^ {2}([A-Z][A-Z0-9_]*) /gm)].map(([, setting]) => setting));

describe('kubernetes', () => {
  test('kustomization.yaml names every file', () =>
    assert.deepEqual(fs.readdirSync(folder).filter((name) => name !== 'kustomization.yaml').sort(), [...kustomization.resources].sort()));

  for (const { name, ...object } of objects) {
    test(`${name}: ${object.kind} ${object.metadata.name} fits Kubernetes' schema`, async () => {
      const { [object.kind]: Model } = await import(`kubernetes-models/${object.apiVersion}/${object.kind}`);
      new Model(object).validate();
    });
  }
  test('the schema bites', async () => {
    const { Deployment } = await import('kubernetes-models/apps/v1/Deployment');
    const wrong = structuredClone(objects.find(({ kind }) => kind === 'Deployment'));
    delete wrong.name;
    wrong.spec.replicas = 'two';
    assert.throws(() => new Deployment(wrong).validate());
  });

  for (const object of workloads) {
    test(`${object.metadata.name}: its settings are settings, its ports where it listens, its pods cautious`, () => {
      const { command, env = [], ports = [], securityContext } = container(object);
      const known = settings(command[0]);
      const given = [...env.map(({ name }) => name), ...kustomization.configMapGenerator[0].literals.map((text) => text.split('=')[0])];
      const others = given.filter((name) => !known.has(name) && !/_ADDRESS$|^(DATABASE|PUBLIC_URL|ADMIN_DATABASE_URL)$/.test(name));
      assert.deepEqual(others, []);
      for (const { name, containerPort } of ports)
        assert.ok(env.some(({ name: setting, value = '' }) => (name === 'admin' ? /_ADMIN$/ : /LISTEN$/).test(setting) && value.endsWith(`:${containerPort}`)), `${name} ${containerPort}`);
      const pod = object.spec.template.spec;
      assert.deepEqual([pod.securityContext.runAsNonRoot, securityContext.readOnlyRootFilesystem, pod.enableServiceLinks, pod.automountServiceAccountToken], [true, true, false, false]);
    });
  }

  test('services, budgets and policies choose pods that there are', () => {
    const pods = workloads.map(({ spec }) => spec.template.metadata.labels);
    for (const { kind, metadata, spec } of objects.filter((object) => ['Service', 'PodDisruptionBudget', 'NetworkPolicy'].includes(object.kind))) {
      const labels = Object.entries((kind === 'Service' ? spec.selector : kind === 'NetworkPolicy' ? spec.podSelector.matchLabels : spec.selector.matchLabels));
      assert.ok(pods.some((pod) => labels.every(([key, value]) => pod[key] === value)), `${kind} ${metadata.name}`);
    }
  });
});

describe('compose', () => {
  const compose = parse(fs.readFileSync(path.join(root, 'compose.yaml'), 'utf8'), { merge: true });
  const programs = Object.entries(compose.services).filter(([, { command }]) => /^(svc-|gateway)/.test(command?.[0] ?? ''));

  for (const [name, service] of programs) {
    test(`${name} gets settings that it reads, may write little, and has limits`, () => {
      const known = settings(service.command[0]);
      const others = Object.keys(service.environment).filter((key) => !known.has(key.replace(/_FILE$/, '')) && !known.has(key) && !/_ADDRESS$|^(PUBLIC_URL|ADMIN_DATABASE_URL_FILE)$/.test(key));
      assert.deepEqual(others, []);
      assert.ok(service.read_only && service.mem_limit && service.pids_limit && service.logging, name);
      assert.deepEqual([service.cap_drop, service.security_opt], [['ALL'], ['no-new-privileges:true']]);
      if (name !== 'init') assert.equal(service.env_file, undefined, 'the whole of .env');
      if (name.startsWith('gateway')) assert.ok(!JSON.stringify(service.volumes).includes('database'), 'the database');
      assert.ok(name === 'init' || service.volumes.some((volume) => volume.startsWith('secret:') && volume.endsWith(':ro')), 'the secret');
    });
  }
});

describe('alerts and dashboard', () => {
  const sources = fs.readdirSync(root, { recursive: true }).filter((name) => /^(common|gateway|svc-[a-z]+)\/.*\.c$/.test(name)).map((name) => fs.readFileSync(path.join(root, name), 'utf8')).join('\n');
  const known = new Set([...sources.matchAll(/metrics_get\([^;]*?METRIC_(\w+),\s*"([a-z_]+)"/g)].flatMap(([, kind, name]) =>
    kind === 'HISTOGRAM' ? ['_bucket', '_sum', '_count'].map((end) => `parley_${name}${end}`) : [`parley_${name}`]));
  for (const [, name] of sources.matchAll(/# TYPE (\w+) /g)) known.add(name);
  for (const [, name] of sources.matchAll(/"(process_\w+)"/g)) known.add(name);

  for (const name of ['alerts.yml', 'grafana.json']) {
    test(`${name} asks for metrics that there are`, () => {
      const text = fs.readFileSync(path.join(root, 'common/docker', name), 'utf8');
      const asked = [...new Set(text.match(/\b(parley|process)_[a-z_]+/g))];
      assert.ok(asked.length > 3);
      assert.deepEqual(asked.filter((metric) => !known.has(metric)), []);
    });
  }
});
