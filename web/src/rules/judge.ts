import { holds, itemsOf } from './expression';
import { textIn, type Instrument, type Item, type MissingKind } from './form';
import { householdFaults, type Person, type Selection } from './household';
import { relevance, view } from './routing';
import { read, Wrong, type FaultCode, type Given, type Message } from './value';

/** One answer as sent: exactly one of a value and a missing kind. */
export interface SentAnswer {
  readonly i: string;
  readonly v?: unknown;
  readonly m?: MissingKind;
}

/** The parts of a submission that the questionnaire judges. */
export interface Sent {
  readonly instrument: string;
  readonly consent?: { readonly given: boolean } | null;
  readonly selection?: Selection | null;
  readonly roster?: readonly Person[];
  readonly answers: readonly SentAnswer[];
  readonly order_shown?: readonly string[];
}

export interface Fault {
  readonly pointer: string;
  readonly item: string | null;
  readonly code: FaultCode;
  readonly message: Message;
}

/** A soft check that spoke up. */
export interface Notice {
  readonly item: string;
  readonly check: number;
  readonly message: Message;
}

export interface Judgement {
  readonly faults: readonly Fault[];
  readonly notices: readonly Notice[];
  readonly answers: readonly (Given | undefined)[];
  /** By place in the questionnaire; what is answered and not relevant is kept as inactive. */
  readonly relevant: readonly boolean[];
}

/** The words for each missing kind, as the server's messages have them. */
const KIND_NAMES: Record<MissingKind, string> = {
  dont_know: '不知道',
  refused: '拒答',
  not_applicable: '不适用',
  not_asked: '未问',
  not_reached: '中止未达',
};

/** Whether a person may give this missing kind; how the interview went can be said of every item. */
export const allows = (item: Item, kind: MissingKind): boolean =>
  kind === 'not_asked' || kind === 'not_reached' || (item.missing?.includes(kind) ?? false);

/** Holds a submission against its questionnaire exactly as the server will: same faults, same order, same words. */
export function judge(instrument: Instrument, sent: Sent): Judgement {
  if (sent.instrument !== instrument.form.hash) {
    const message = { zh: '问卷版本与本份数据不符', en: 'made with another version of the questionnaire' };
    const fault: Fault = { pointer: '/instrument', item: null, code: 'wrong-questionnaire', message };
    return { faults: [fault], notices: [], answers: [], relevant: [] };
  }
  const acceptance = new Acceptance(instrument, sent);
  acceptance.head();
  acceptance.readAnswers();
  acceptance.route();
  acceptance.completeness();
  const notices = acceptance.checks();
  const { faults, answers, relevant } = acceptance;
  return { faults, notices, answers, relevant };
}

class Acceptance {
  readonly faults: Fault[] = [];
  readonly answers: (Given | undefined)[];
  relevant: boolean[] = [];
  private readonly sentAt = new Map<number, number>();
  /** Items with a faulty answer, and items whose relevance depends on one. */
  private readonly doubtful = new Set<string>();

  constructor(
    private readonly instrument: Instrument,
    private readonly sent: Sent,
  ) {
    this.answers = instrument.items.map(() => undefined);
  }

  head(): void {
    if (this.sent.consent?.given !== true)
      this.add('/consent', null, 'no-consent', { zh: '没有受访者的同意', en: 'there is no consent' });
    this.faults.push(...householdFaults(this.sent.roster ?? [], this.sent.selection));
    for (const [i, id] of (this.sent.order_shown ?? []).entries())
      if (!this.instrument.find(id)) this.add(`/order_shown/${i}`, id, 'unknown-item', unknownItem(id));
  }

  readAnswers(): void {
    for (const [place, sent] of this.sent.answers.entries()) {
      const pointer = `/answers/${place}`;
      const found = this.instrument.find(sent.i);
      if (!found) {
        this.add(pointer, sent.i, 'unknown-item', unknownItem(sent.i));
        continue;
      }
      const twice = this.sentAt.has(found.at);
      this.sentAt.set(found.at, place);
      if (twice) {
        const message = { zh: '同一题有两个答案', en: 'the item has two answers' };
        this.fault(pointer, found.item, 'duplicate-answer', message);
        continue;
      }
      this.readAnswer(found.at, found.item, sent, pointer);
    }
  }

  private readAnswer(at: number, item: Item, sent: SentAnswer, pointer: string): void {
    try {
      this.answers[at] = sent.m === undefined ? read(item, sent.v) : { missing: sent.m };
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.fault(pointer, item, error.code, error.words);
    }
  }

  route(): void {
    this.relevant = relevance(this.instrument, this.answers);
    for (const { item, section } of this.instrument.items) {
      const rules = [section.relevant_when, item.relevant_when].filter((rule) => rule !== undefined);
      if (rules.some((rule) => this.isDoubtful(itemsOf(rule)))) this.doubtful.add(item.id);
    }
  }

  completeness(): void {
    for (const { at, item } of this.instrument.items) {
      if (!this.relevant[at] || this.doubtful.has(item.id)) continue;
      const given = this.answers[at];
      if (given === undefined && item.required) {
        this.add('/answers', item.id, 'required-missing', { zh: '必答题没有答案', en: 'a required item has no answer' });
      } else if (given !== undefined && 'missing' in given && !allows(item, given.missing)) {
        const kind = given.missing;
        const message = { zh: `本题不允许“${KIND_NAMES[kind]}”`, en: `the item does not allow ${kind}` };
        this.add(`/answers/${this.sentAt.get(at) ?? 0}`, item.id, 'missing-kind-not-allowed', message);
      }
    }
  }

  checks(): Notice[] {
    const notices: Notice[] = [];
    const facts = view(this.instrument, this.answers, this.relevant);
    for (const { at, item } of this.instrument.items.filter((one) => this.relevant[one.at])) {
      for (const [c, check] of (item.checks ?? []).entries()) {
        if (this.isDoubtful(itemsOf(check.fails_when)) || !holds(check.fails_when, facts)) continue;
        const message = { zh: textIn(check.message, 'zh-CN'), en: textIn(check.message, 'en') };
        const place = this.sentAt.get(at);
        if (check.severity === 'soft') notices.push({ item: item.id, check: c, message });
        else this.add(place === undefined ? '/answers' : `/answers/${place}`, item.id, 'hard-check-failed', message);
      }
    }
    return notices;
  }

  private isDoubtful(ids: readonly string[]): boolean {
    return ids.some((id) => this.doubtful.has(id));
  }

  private fault(pointer: string, item: Item, code: FaultCode, message: Message): void {
    this.doubtful.add(item.id);
    this.add(pointer, item.id, code, message);
  }

  private add(pointer: string, item: string | null, code: FaultCode, message: Message): void {
    this.faults.push({ pointer, item, code, message });
  }
}

const unknownItem = (id: string): Message => ({
  zh: `问卷中没有题目“${id}”`,
  en: `the questionnaire has no item "${id}"`,
});
