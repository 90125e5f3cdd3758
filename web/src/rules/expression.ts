import type { Comparison, Literal, MissingKind, Reference, Rule, Term } from './form';

/** What is known of a relevant item; `something` is a whole matrix, of which only `answered` can speak. */
export type Known =
  | { readonly text: string }
  | { readonly number: number }
  | { readonly codes: readonly string[] }
  | { readonly missing: MissingKind }
  | { readonly something: true };

/** Where values come from; an item that is irrelevant or unanswered has none. */
export type Facts = (item: Reference) => Known | undefined;

/**
 * Whether a rule holds. The same dozen lines stand in Rust on the server, and both are held to the same vectors. A comparison with
 * an item that is missing, unanswered or irrelevant is false, whatever the comparison.
 */
export function holds(rule: Rule, facts: Facts): boolean {
  switch (rule.op) {
    case 'all':
      return rule.of.every((part) => holds(part, facts));
    case 'any':
      return rule.of.some((part) => holds(part, facts));
    case 'not':
      return !holds(rule.of, facts);
    case 'answered': {
      const known = facts(rule.item);
      return known !== undefined && !('missing' in known);
    }
    case 'missing': {
      const known = facts(rule.item);
      return known !== undefined && 'missing' in known && (rule.kind === undefined || rule.kind === known.missing);
    }
    case 'compare':
      return compare(value(rule.left, facts), rule.how, value(rule.right, facts));
    case 'in': {
      const left = value(rule.left, facts);
      return rule.values.some((one) => compare(left, '==', literal(one)));
    }
    case 'includes': {
      const known = facts(rule.item);
      return known !== undefined && 'codes' in known && known.codes.includes(rule.code);
    }
  }
}

/** Every item a rule looks at. */
export function itemsOf(rule: Rule): string[] {
  const named = (term: Term): string[] => ('item' in term ? [term.item.id] : 'count' in term ? [term.count.id] : []);
  switch (rule.op) {
    case 'all':
    case 'any':
      return rule.of.flatMap(itemsOf);
    case 'not':
      return itemsOf(rule.of);
    case 'compare':
      return [...named(rule.left), ...named(rule.right)];
    case 'in':
      return named(rule.left);
    default:
      return [rule.item.id];
  }
}

function value(term: Term, facts: Facts): string | number | undefined {
  if ('value' in term) return literal(term.value);
  if ('count' in term) {
    const known = facts(term.count);
    return known !== undefined && 'codes' in known ? known.codes.length : undefined;
  }
  const known = facts(term.item);
  if (known === undefined) return undefined;
  if ('text' in known) return known.text;
  return 'number' in known ? known.number : undefined;
}

// True and false are the codes of their options.
const literal = (constant: Literal): string | number => (typeof constant === 'boolean' ? String(constant) : constant);

function compare(left: string | number | undefined, how: Comparison, right: string | number | undefined): boolean {
  let order: number;
  // Dates compare as texts: YYYY-MM-DD sorts by day.
  if (typeof left === 'string' && typeof right === 'string') order = inCodePoints(left, right);
  else if (typeof left === 'number' && typeof right === 'number') order = left - right;
  else return false;
  switch (how) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** By code points, as the server's UTF-8 sorts; `<` would go by UTF-16 units and put 𠮷 before ～. */
export function inCodePoints(left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const step = (a[i]?.codePointAt(0) ?? 0) - (b[i]?.codePointAt(0) ?? 0);
    if (step !== 0) return step;
  }
  return a.length - b.length;
}
