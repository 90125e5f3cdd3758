// The answers of the server that the pages read. The server's OpenAPI document is the authority.

/** A text in the languages of the pages; Chinese is always there. */
export interface Text {
  'zh-CN': string;
  en?: string | null;
}

export type Verdict = 'met' | 'not_met' | 'undetermined';

export interface TargetVerdict {
  target: string;
  verdict: Verdict;
  /** Probability, given the estimate and its error, that the true share is at least the target. */
  probability_met: number | null;
}

/** One domain of a table: the whole, a district, a group, or a crossing of two. */
export interface Row {
  domain: Record<string, string>;
  labels: Text[];
  /** In a release there is `base` in its place. */
  n: number | null;
  /** In a release: the band that n lies in. */
  base?: string;
  /** In a release: 仅供参考. */
  caution?: boolean;
  /** In a release: the code of why the cell is withheld; `not_estimable` says it in words. */
  withheld?: string;
  /** For the office: what becomes of the cell in the release, `caution` or why it is withheld. */
  released_as?: string;
  population: number | null;
  estimate: number | null;
  se: number | null;
  df: number | null;
  /** A share of exactly 0 or 1 has an estimate and no interval. */
  ci: [number, number] | null;
  deff: number | null;
  effective_n: number | null;
  not_estimable: Text | null;
  verdicts: TargetVerdict[];
  /** The model-based estimate beside the direct one; districts only. */
  model?: ModelEstimate | null;
}

export interface ModelEstimate {
  estimate: number;
  rmse: number;
  ci: [number, number];
  synthetic: number;
  /** The share of the estimate that the model supplies. */
  model_share: number;
}

/** A difference of two shares. */
export interface Compared {
  estimate: number | null;
  se: number | null;
  df: number | null;
  ci: [number, number] | null;
  p_value: number | null;
  not_estimable: Text | null;
}

export interface Level {
  code: string;
  label: Text;
}

/** The share of one group minus that of another of the same variable. */
export interface Difference extends Compared {
  variable: string;
  label: Text;
  first: Level;
  second: Level;
}

/** The share of a domain now minus that in the earlier wave. */
export interface Change extends Compared {
  table: string;
  domain: Record<string, string>;
  labels: Text[];
  earlier: number | null;
  later: number | null;
}

export interface Changes {
  survey: { code: string; title: string; place: string; example: boolean };
  input_digest: string;
  samples: 'independent' | 'shared_psus';
  rows: Change[];
}

export interface SmallArea {
  areas: number;
  covariates: string[];
  between_variance: number | null;
  benchmark_factor: number | null;
  not_fitted: Text | null;
}

export interface Table {
  id: string;
  by: string[];
  label: Text;
  rows: Row[];
}

/** The outlines of districts, as the server keeps them. */
export interface MapFile {
  features: {
    properties: { region: string };
    geometry: { coordinates: [number, number][][][] };
  }[];
  source?: string;
  /** 审图号 */
  review_number?: string;
}

export interface Target {
  id: string;
  region: string;
  year: number;
  value: number;
  label: Text;
  source: string;
}

export interface WeightStep {
  id: string;
  label: Text;
  n: number;
  sum: number;
  min: number | null;
  max: number | null;
  kish_deff: number | null;
  margins?: WeightMargin[];
}

/** A weighting class or a margin's category, before and after a step. */
export interface WeightMargin {
  variable: string;
  label: Text;
  level: Level;
  n: number;
  before: number;
  after: number;
  target: number | null;
  factor: number | null;
}

/** A mean number of points, of the whole score or of a dimension. */
export interface PointsMean {
  code: string;
  label: Text | null;
  maximum: number;
  n: number;
  estimate: number | null;
  se: number | null;
  df: number | null;
  ci: [number, number] | null;
  not_estimable: Text | null;
}

export interface ScoreSummary {
  mean: PointsMean | null;
  dimensions: PointsMean[];
  tiers: Table;
  distribution: Table;
}

/** How an item was answered; never what the right answer is. */
export interface ItemStatistics {
  item: string;
  number: number;
  /** Of an example questionnaire only. */
  text: Text | null;
  dimension: string | null;
  dimension_label: Text | null;
  n: number;
  right: number | null;
  dont_know: number | null;
  refused: number | null;
  discrimination: number | null;
}

/** What became of the cases of a place. */
export interface ResponseRates {
  district: string | null;
  label: Text;
  cases: number;
  counts: Record<'complete' | 'partial' | 'refusal' | 'non_contact' | 'other' | 'unknown_household' | 'unknown_other' | 'not_eligible', number>;
  rates: Record<'e' | 'rr1' | 'rr3' | 'coop1' | 'ref1' | 'con1', number | null>;
  planned: number;
  completion: number | null;
}

export interface Results {
  schema: string;
  engine: string;
  survey: { code: string; title: string; place: string; region: string; example: boolean };
  questionnaire: { id: string; version: string; hash: string; title: Text };
  profile: { id: string; version: string; hash: string; title: Text };
  status: 'interim' | 'final';
  sample: {
    strata: number;
    psus: number;
    cases: number;
    responses: number;
    used: number;
    /** Accepted responses without a weight, by reason. */
    not_used: Record<string, number>;
    response_rate: number | null;
  };
  weights: { sum: number; kish_deff: number | null; effective_n: number | null; steps: WeightStep[] };
  method: { variance: string; interval: string; level: number; replicates?: number | null; df: number | null };
  targets: Target[];
  tables: Table[];
  /** Runs before these were computed have none. */
  differences?: Difference[];
  small_area?: SmallArea;
  scores?: ScoreSummary;
  items?: ItemStatistics[];
  response_rates?: ResponseRates[];
  changes?: Changes | null;
  input_digest: string;
  /** What was released to everybody says how it was made. */
  release?: { rules: string; cells: number; withheld: number; percent_decimals: number };
}

/** How the release of a run stands. */
export interface Release {
  state: 'none' | 'requested' | 'released';
  rules: string | null;
  sha256: string | null;
  requested_by: string | null;
  confirmed_by: string | null;
  /** What became of each cell that is not simply shown: `caution`, or why it is withheld. */
  cells: Record<string, string>;
}

export interface Run {
  id: string;
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** Where it stands while it is being computed. */
  progress: { stage: 'reading' | 'scoring' | 'weighting' | 'estimating' | 'writing'; share: number } | null;
  /** SHA-256 of the results as they were computed; in the answer for a single run. */
  results_sha256?: string | null;
  /** Why it failed. */
  error?: { code: string; message: string } | null;
}

/** A file of a run that the asker may read. */
export interface RunFile {
  name: string;
  /** Null for another form of a file that nobody has asked for yet. */
  sha256: string | null;
}

export interface Questionnaire {
  hash: string;
  id: string;
  version: string;
  title: string;
}

/** A figure that others published. */
export interface Published {
  year: number;
  share: number;
}

export interface TargetPath extends Target {
  /** Target minus the newest wave's share. */
  distance: number | null;
  years_left: number | null;
  /** What each year that is left would have to add. */
  needed_a_year: number | null;
  /** What each year from the first wave to the target's would have had to add. */
  planned_a_year: number | null;
}

export interface Wave {
  run: string;
  survey: Results['survey'];
  status: Results['status'];
  year: number;
  fieldwork_from: string;
  fieldwork_to: string;
  whole: Row;
  /** The rows of each variable with two groups. */
  groups: Row[];
  gaps: Difference[];
}

export interface GapChange extends Compared {
  variable: string;
  label: Text;
}

export interface WaveChange {
  from: number;
  to: number;
  whole: Compared;
  gaps: GapChange[];
}

/** Waves of one place, all scored by one profile. */
export interface Series {
  place: string;
  profile: Results['profile'];
  level: number;
  /** Decimals of a share in percent that the coarsest wave was released with; null when none was rounded. */
  percent_decimals: number | null;
  targets: TargetPath[];
  waves: Wave[];
  changes: WaveChange[];
  national: Published[];
  national_source: Text;
}
