/** A questionnaire as the server hands it to a tablet: canonical JSON without keys, points and dimensions. */

/** One text by language tag; Chinese is always there. */
export type Texts = Readonly<Record<string, string>>;

export const MISSING_KINDS = ['dont_know', 'refused', 'not_applicable', 'not_asked', 'not_reached'] as const;
export type MissingKind = (typeof MISSING_KINDS)[number];

/** An item, or one row of a matrix. */
export interface Reference {
  readonly id: string;
  readonly row?: string;
}

export type Literal = string | number | boolean;
export type Term = { readonly item: Reference } | { readonly count: Reference } | { readonly value: Literal };
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A rule as a tree; files write it as text, the canonical form carries the tree. */
export type Rule =
  | { readonly op: 'all' | 'any'; readonly of: readonly Rule[] }
  | { readonly op: 'not'; readonly of: Rule }
  | { readonly op: 'answered'; readonly item: Reference }
  | { readonly op: 'missing'; readonly item: Reference; readonly kind?: MissingKind }
  | { readonly op: 'compare'; readonly left: Term; readonly how: Comparison; readonly right: Term }
  | { readonly op: 'in'; readonly left: Term; readonly values: readonly Literal[] }
  | { readonly op: 'includes'; readonly item: Reference; readonly code: string };

export interface Choice {
  readonly code: string;
  readonly label: Texts;
  readonly exclusive?: boolean;
}

export interface Row {
  readonly code: string;
  readonly label: Texts;
}

export interface Check {
  readonly severity: 'soft' | 'hard';
  readonly fails_when: Rule;
  readonly message: Texts;
}

export type ItemKind = 'single_choice' | 'true_false' | 'multiple_choice' | 'number' | 'text' | 'date' | 'matrix';

export interface Item {
  readonly id: string;
  readonly type: ItemKind;
  readonly text: Texts;
  readonly interviewer_note?: Texts;
  readonly required: boolean;
  readonly missing?: readonly MissingKind[];
  readonly relevant_when?: Rule;
  readonly options?: readonly Choice[];
  readonly rows?: readonly Row[];
  readonly choices_min?: number;
  readonly choices_max?: number;
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
  readonly unit?: Texts;
  readonly length_max?: number;
  readonly date_min?: string;
  readonly date_max?: string;
  readonly checks?: readonly Check[];
}

export interface Section {
  readonly id: string;
  readonly title: Texts;
  readonly introduction?: Texts;
  readonly interviewer_note?: Texts;
  readonly relevant_when?: Rule;
  readonly items: readonly Item[];
}

/** An analysis column. Forms for tablets have none; the shared vectors do. */
export interface Classification {
  readonly id: string;
  readonly categories: readonly { readonly code: string; readonly when: Rule }[];
}

export interface Form {
  readonly hash: string;
  readonly id: string;
  readonly version: string;
  readonly example?: boolean;
  readonly languages: readonly string[];
  readonly title: Texts;
  readonly header: {
    readonly form_number: string;
    readonly issued_by: Texts;
    readonly approved_by?: Texts;
    readonly approval_number: string;
    readonly valid_until: string;
  };
  readonly sections: readonly Section[];
  readonly classifications?: readonly Classification[];
}

/** An item with its section and its place in the order of asking. */
export interface Placed {
  readonly at: number;
  readonly item: Item;
  readonly section: Section;
}

/** A form with its items by place and by id. */
export class Instrument {
  readonly items: readonly Placed[];
  private readonly places: ReadonlyMap<string, Placed>;

  constructor(readonly form: Form) {
    const items = form.sections.flatMap((section) => section.items.map((item) => ({ item, section })));
    this.items = items.map((one, at) => ({ ...one, at }));
    this.places = new Map(this.items.map((one) => [one.item.id, one]));
  }

  find(id: string): Placed | undefined {
    return this.places.get(id);
  }
}

/** The text in a language, or in Chinese where it has none. */
export const textIn = (texts: Texts, language: string): string => texts[language] ?? texts['zh-CN'] ?? '';

/** The language that `textIn` then has: Chinese where a text is not there in the one asked for. */
export const langIn = (texts: Texts, language: string): string => (language in texts ? language : 'zh-CN');
