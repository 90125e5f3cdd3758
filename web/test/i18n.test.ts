import { describe, expect, it } from 'vitest';
import en from '../src/i18n/en';
import zh from '../src/i18n/zh-CN';
import deskEn from '../src/desk/i18n/en';
import deskZh from '../src/desk/i18n/zh-CN';
import tabletEn from '../src/tablet/i18n/en';
import tabletZh from '../src/tablet/i18n/zh-CN';

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`),
  );
}

const placeholders = (text = ''): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '').toSorted();
type Sources = Record<string, string>;
const office: Sources = import.meta.glob(['../src/**/*.{ts,vue}', '!../src/i18n/{zh-CN,en}.ts', '!../src/tablet/**', '!../src/desk/**'], { query: '?raw', import: 'default', eager: true });
const tablet: Sources = import.meta.glob(['../src/tablet/**/*.{ts,vue}', '!../src/tablet/i18n/*.ts'], { query: '?raw', import: 'default', eager: true });

const desk: Sources = import.meta.glob(['../src/desk/**/*.{ts,vue}', '!../src/desk/i18n/*.ts'], { query: '?raw', import: 'default', eager: true });

describe.each([
  { place: 'the office', zh, en, sources: Object.values(office) },
  { place: 'the tablet', zh: tabletZh, en: tabletEn, sources: Object.values(tablet) },
  { place: 'the desk', zh: deskZh, en: deskEn, sources: Object.values(desk) },
])('acc076 the two languages of $place', ({ zh, en, sources }) => {
  const texts = { zh: new Map(flat(zh)), en: new Map(flat(en)) };
  it('have the same keys', () => {
    expect([...texts.en.keys()]).toEqual([...texts.zh.keys()]);
  });

  it('have the same placeholders and no empty text', () => {
    for (const [key, text] of texts.zh) {
      expect(text, key).not.toBe('');
      expect(texts.en.get(key), key).not.toBe('');
      expect(placeholders(texts.en.get(key)), key).toEqual(placeholders(text));
    }
  });

  it('keep half-width punctuation and English words off the Chinese page', () => {
    const names = /scilit|CSV|SVG|PNG|OpenAPI|Korn–Graubard|RR1|RR3|COOP1|REF1|CON1|AAPOR|PDF|Excel|WPS|SPSS|Stata|Parquet|DDI|GeoJSON|cron/g;
    for (const [key, text] of texts.zh) {
      const rest = text.replaceAll(/\{\w+\}/g, '').replaceAll(names, '');
      expect(rest, key).not.toMatch(/[A-Za-z]/);
      expect(rest, key).not.toMatch(/[,;:!?()]/);
    }
  });

  it('have every text that the code names, and no text that no code names', () => {
    const named = new Set(sources.flatMap((text) => [...text.matchAll(/['`]([a-z]+\.[a-z_0-9]+)['`]/g)].map((found) => found[1] ?? '')));
    const built = sources.flatMap((text) => [...text.matchAll(/`([a-z]+\.[a-z_]*)\$\{/g)].map((found) => found[1] ?? ''));
    const groups = new Set(Object.keys(zh));
    expect(sources.length).toBeGreaterThan(20);
    for (const key of named) if (groups.has(key.split('.')[0] ?? '')) expect(texts.zh.has(key), key).toBe(true);
    for (const key of texts.zh.keys())
      expect(named.has(key) || built.some((start) => key.startsWith(start)), key).toBe(true);
  });
});
