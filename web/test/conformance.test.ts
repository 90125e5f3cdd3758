// acc039: the vectors that the server's own tests hold the Rust engine to.

import { describe, expect, it } from 'vitest';
import { holds, type Known } from '../src/rules/expression';
import { Instrument, type Form, type Rule } from '../src/rules/form';
import { judge, type Sent } from '../src/rules/judge';
import { classify, view } from '../src/rules/routing';
import text from '../../tests/conformance/vectors.json?raw';

interface Vectors {
  facts: Record<string, Known>[];
  rules: { facts: number; rule: Rule; holds: boolean }[];
  forms: Form[];
  submissions: {
    form: number;
    body: Sent;
    faults: unknown[];
    notices?: unknown[];
    relevant?: string;
    active?: string;
    columns?: Record<string, string | null>;
  }[];
}

const vectors = JSON.parse(text) as Vectors;
const bits = (flags: readonly boolean[]): string => flags.map((flag) => (flag ? '1' : '0')).join('');

describe('acc039 the vectors shared with the server', () => {
  it('are two thousand or more', () => {
    expect(vectors.rules.length + vectors.submissions.length).toBeGreaterThanOrEqual(2000);
  });

  it('give the same truth for every rule', () => {
    for (const { facts, rule, holds: expected } of vectors.rules) {
      const set = new Map(Object.entries(vectors.facts[facts] ?? {}));
      const truth = holds(rule, ({ id, row }) => set.get(row === undefined ? id : `${id}.${row}`));
      expect(truth, JSON.stringify({ rule, facts })).toBe(expected);
    }
  });

  it('give the same faults, notices, relevance and computed values for every submission', () => {
    const instruments = vectors.forms.map((form) => new Instrument(form));
    for (const [line, vector] of vectors.submissions.entries()) {
      const instrument = instruments[vector.form] as Instrument;
      const found = judge(instrument, vector.body);
      const told = `submission ${line}`;
      expect(found.faults.map((f) => [f.pointer, f.item, f.code, f.message.zh, f.message.en]), told).toEqual(vector.faults);
      if (vector.relevant === undefined) continue;
      const facts = view(instrument, found.answers, found.relevant);
      expect(found.notices.map((n) => [n.item, n.check, n.message.zh, n.message.en]), told).toEqual(vector.notices);
      expect(bits(found.relevant), told).toBe(vector.relevant);
      expect(bits(found.answers.map((given, at) => given !== undefined && found.relevant[at] === true)), told).toBe(vector.active);
      expect(classify(instrument, facts), told).toEqual(vector.columns);
    }
  });
});
