// acc043: who is asked in a household, from the drawn number to the weight.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { call, Field } from './field.mjs';
import { Tablet } from './tablet.mjs';

const KISH_CASES = ['000004', '000005', '000006'];
/** Members as they are written down, and who of them is between 18 and 69. */
const HOMES = {
  '000001': [['female', 33], ['male', 9]],
  '000002': [['female', 48], ['male', 20], ['male', 50], ['female', 75]],
  '000003': [['female', 19], ['male', 61], ['female', 59], ['male', 33], ['female', 30], ['male', 4]],
  '000004': [['female', 44], ['male', 46]],
  '000005': [['male', 64], ['female', 62], ['male', 40], ['female', 38], ['male', 18]],
  '000006': [['female', 69], ['female', 45], ['male', 47], ['male', 22], ['female', 20], ['male', 18]],
};
/** Kish (1949), table 2 beside the share of households that get each: A, D, C and F a sixth, the others a twelfth. */
const TABLES = {
  A: [2, 1, 1, 1, 1, 1, 1], B1: [1, 1, 1, 1, 1, 2, 2], B2: [1, 1, 1, 1, 2, 2, 2], C: [2, 1, 1, 2, 2, 3, 3],
  D: [2, 1, 2, 2, 3, 4, 4], E1: [1, 1, 2, 3, 3, 3, 5], E2: [1, 1, 2, 3, 4, 5, 5], F: [2, 1, 2, 3, 4, 5, 6],
};

/** The roster numbers of the eligible: men, then women, each from the oldest. */
function inOrder(members) {
  const eligible = members.map(([sex, age], at) => ({ no: at + 1, sex, age })).filter(({ age }) => age >= 18 && age <= 69);
  return eligible.sort((a, b) => (a.sex === b.sex ? b.age - a.age : a.sex === 'male' ? -1 : 1)).map(({ no }) => no);
}

/** Which of `n` the number drawn for the case selects, and how likely that was. */
function expected({ method, u_num, table }, n) {
  if (method === 'uniform') return { selected: 1 + Number((BigInt(u_num) * BigInt(n)) / 2n ** 53n), prob: 1 / n };
  const selected = TABLES[table][Math.min(n, 6)];
  const twelfths = Object.values(TABLES).filter((row) => row[Math.min(n, 6)] === selected).reduce((sum, [share]) => sum + share, 0);
  return { selected, prob: twelfths / 12 };
}

let field;
let t;
before(async () => {
  field = await Field.open({ cases: 6, kish: KISH_CASES });
  t = await Tablet.joined(field);
});
after(async () => {
  await t?.close();
  await field?.close();
});

/** The id under which a response stands in the files of a run. */
const pseudonym = (id) => `r${createHash('sha256').update('scilit/pseudonym/1/').update(Buffer.from(id.replaceAll('-', ''), 'hex')).digest('hex').slice(0, 16)}`;
const near = (a, b) => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b));

/** A run of what was sent, its weighted responses by pseudonymous id. */
async function weighted() {
  await field.person('analyst', 'analyst', '吴分析');
  const analyst = await field.server.signIn('analyst');
  const { id } = await analyst.send('POST', `/api/v1/surveys/${field.survey}/runs`, { include: 'interim' });
  let run = {};
  for (let tries = 0; tries < 300 && !['succeeded', 'failed'].includes(run.state); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    run = await analyst.send('GET', `/api/v1/runs/${id}`);
  }
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  const { text } = await call(field.server.url, 'GET', `/api/v1/runs/${id}/files/responses_weighted.csv?purpose=acc043`, { headers: { Cookie: analyst.cookie } });
  const [head, ...rows] = text.trim().split('\n').map((line) => line.split(','));
  return new Map(rows.map((row) => [row[0], Object.fromEntries(head.map((name, at) => [name, row[at]]))]));
}

describe('acc043 the selection', () => {
  it('acc043 is 1 + floor(u·n) or Kish\'s, on the screen, in the bytes that the server holds, and in the weight', async () => {
    const drawn = new Map();
    for (const seen of field.line.seen.filter((one) => one.path.startsWith('/api/v1/sync/changes')))
      for (const change of JSON.parse(seen.answer).changes) if (change.kind === 'case') drawn.set(change.case, change.value.selection);
    const wanted = new Map();
    for (const [number, members] of Object.entries(HOMES)) {
      const order = inOrder(members);
      const { selected, prob } = expected(drawn.get(number), order.length);
      wanted.set(number, { selected, prob, n: order.length });
      await t.openCase(number);
      await t.admit(members);
      await t.at('pause').click();
      await t.at('leave-open').click();
      const said = await t.at('drawn').innerText();
      assert.match(said, new RegExp(`被选中的是第 ${order[selected - 1]} 人`), number);
      assert.match(said, new RegExp(`${KISH_CASES.includes(number) ? '基什表' : '等概率'}.*${order.length} 名合格成员中的第 ${selected} 名`), number);
      await t.at('continue').click();
      await t.page.locator('[data-item]').first().waitFor();
      await t.talk();
      await t.finish();
      await t.waitState(number, 'verified');
    }
    assert.ok(KISH_CASES.every((number) => drawn.get(number).method === 'kish'));
    const responses = await field.responses();
    assert.deepEqual(responses.map((one) => one.state), Array(6).fill('parsed'), 'the server finds the same persons by its own numbers');

    const rows = await weighted();
    for (const { id, case: number } of responses) {
      const { prob } = wanted.get(number);
      const row = rows.get(pseudonym(id));
      assert.ok(row, `${number}: ${pseudonym(id)} is not among ${[...rows.keys()].join(', ')}`);
      assert.ok(near(Number(row.person_factor), 1 / prob), `${number}: ${row.person_factor} and ${1 / prob}`);
      assert.ok(near(Number(row.weight_base), 1 / (0.5 * 0.1)), row.weight_base);
      assert.ok(near(Number(row.weight_person), Number(row.weight_nonresponse) / prob), `${number}: ${row.weight_person}`);
      assert.ok(Number(row.weight) > 0, number);
    }

    // The bytes themselves, as the server hands them to the tablet when they come back.
    const token = field.line.seen.map((one) => one.authorization).find(Boolean);
    for (const { id, case: number } of responses) {
      await field.supervisor.send('POST', `/api/v1/responses/${id}/return`, { rev: 1, reason_code: 'check', comment: '', item_comments: [] });
      const { status, json } = await call(field.server.url, 'GET', `/api/v1/responses/${id}/returned`, { headers: { Authorization: token } });
      assert.equal(status, 200);
      const { selected, prob, n } = wanted.get(number);
      const { method, n_eligible, selected_no } = json.selection;
      assert.deepEqual([method, n_eligible, selected_no], [KISH_CASES.includes(number) ? 'kish' : 'uniform', n, selected], number);
      assert.ok(near(json.selection.prob, prob), `${number}: ${json.selection.prob} and ${prob}`);
    }
    await t.clean();
  });
});
